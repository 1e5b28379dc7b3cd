"""Import of a catalogue from a CSV file through the API, in batches."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from rich.table import Table

from cli.api_client import Client, json_of, reason_of, rows_of, successful
from cli.console import console, print_refused
from cli.progress import progress

BATCH = 100
_BATCH_BYTES = 200_000
"""Size of the items of a request; a body may have 256 KB."""
_STOCK_DIGITS = 9


@dataclass(frozen=True, slots=True)
class Columns:
    """Names of the CSV columns to read; None: the file has no such column. `attributes` become attributes of items."""

    sku: str
    name: str
    price: str
    stock: str | None = None
    description: str | None = None
    tax_class: str | None = None
    attributes: tuple[str, ...] = ()

    @property
    def all(self) -> list[str]:
        """All columns that the file must have."""
        single = (self.sku, self.name, self.price, self.stock, self.description, self.tax_class)
        return [column for column in (*single, *self.attributes) if column is not None]


@dataclass(slots=True)
class CatalogueRow:
    """Item to create for one SKU, and the last line of the file that has it."""

    line: int
    body: dict[str, Any]


@dataclass(slots=True)
class Report:
    """Result of the import."""

    lines: int = 0
    created: int = 0
    present: int = 0
    refused: list[tuple[int, str]] = field(default_factory=list)
    """Refused lines: line number, reason."""


def load(file: Path, columns: Columns, currency: str, url: str, token: str) -> bool:
    """Import the catalogue and print a report; return False if no line of the file could be used.

    Raises httpx.HTTPError, ApiError, LookupError if a column is missing.
    """
    report = Report()
    entries = _read(file, columns, currency, report)
    batches = list(_batches(entries))
    with Client(url, token) as api, progress() as bar:
        for batch in bar.track(batches, description=f"Loading {len(entries)} items"):
            _send(api, batch, report)
    _print(report, len(entries))
    return report.created + report.present > 0


def _read(file: Path, columns: Columns, currency: str, report: Report) -> list[CatalogueRow]:
    """Return one row per SKU; report lines that cannot be items as refused."""
    entries: dict[str, CatalogueRow] = {}
    for line, row in rows_of(file, *columns.all):
        report.lines += 1
        try:
            body = _item({name: (value or "").strip() for name, value in row.items() if name}, columns, currency)
        except ValueError as reason:
            report.refused.append((line, str(reason)))
        else:
            entries[body["sku"]] = CatalogueRow(line, body)
    return list(entries.values())


def _item(row: dict[str, str], columns: Columns, currency: str) -> dict[str, Any]:
    """Return the item to create for a row. Raises ValueError for a row that cannot be one."""
    needed = {"SKU": columns.sku, "name": columns.name, "price": columns.price}
    missing = [what for what, column in needed.items() if not row.get(column)]
    if missing:
        raise ValueError(f"no {' and no '.join(missing)}")
    price = {"amount": row[columns.price], "currency": currency}
    body: dict[str, Any] = {"sku": row[columns.sku], "name": row[columns.name], "price": price}
    for name, column in (("description", columns.description), ("tax_class", columns.tax_class)):
        if column and row[column]:
            body[name] = row[column]
    attributes = {column: row[column] for column in columns.attributes if row[column]}
    if attributes:
        body["attributes"] = attributes
    if columns.stock and row[columns.stock]:
        if not row[columns.stock].isdecimal() or len(row[columns.stock]) > _STOCK_DIGITS:
            raise ValueError(f"the stock {row[columns.stock]!r} is not a whole number")
        body["stock"] = int(row[columns.stock])
    return body


def _batches(entries: Iterable[CatalogueRow]) -> Iterator[list[CatalogueRow]]:
    """Yield the rows in batches that a request may have: by number, and by size."""
    batch: list[CatalogueRow] = []
    size = 0
    for entry in entries:
        own = len(json.dumps(entry.body, ensure_ascii=False).encode())
        if batch and (len(batch) == BATCH or size + own > _BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(entry)
        size += own
    if batch:
        yield batch


def _send(api: Client, batch: list[CatalogueRow], report: Report) -> None:
    answer = api.post("/items/batch", {"items": [entry.body for entry in batch]}, key=str(uuid4()))
    for result in json_of(successful(answer))["results"]:
        entry = batch[result["index"]]
        if result["status"] == 201:
            report.created += 1
        elif result["problem"]["code"] == "SKU_TAKEN":
            report.present += 1
        else:
            report.refused.append((entry.line, reason_of(result["problem"])))


def _print(report: Report, skus: int) -> None:
    table = Table("", "count", title="Catalogue")
    for name, count in (
        ("lines read", report.lines),
        ("lines refused", len(report.refused)),
        ("lines replaced by a later one of their SKU", report.lines - skus - _refused_before(report, skus)),
        ("SKUs", skus),
        ("items created", report.created),
        ("items already there", report.present),
    ):
        table.add_row(name, f"{count:,}")
    console.print(table)
    print_refused(report.refused)


def _refused_before(report: Report, skus: int) -> int:
    """Return the number of lines that were refused before they were sent."""
    return len(report.refused) - (skus - report.created - report.present)
