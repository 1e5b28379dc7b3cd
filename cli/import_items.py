"""Import of a catalogue from a CSV file through the API, in batches."""

from collections import Counter
from dataclasses import dataclass, field
from itertools import batched
from pathlib import Path
from typing import Any
from uuid import uuid4

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from cli.api_client import Client, reason_of, require_success, rows_of

BATCH = 100

console = Console()


@dataclass(frozen=True, slots=True)
class Columns:
    """Names of the CSV columns to read."""

    sku: str
    name: str
    price: str


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
    refused: list[tuple[int, str, str]] = field(default_factory=list)
    """Refused lines: line number, SKU, reason."""


def load(file: Path, columns: Columns, currency: str, url: str, token: str) -> bool:
    """Import the catalogue and print a report; return False if no line of the file could be used.

    Raises httpx.HTTPError, ApiError, LookupError if a column is missing.
    """
    report = Report()
    entries = _read(file, columns, currency, report)
    with Client(url, token) as api, Progress(console=console) as bar:
        for batch in bar.track(
            list(batched(entries, BATCH, strict=False)), description=f"Loading {len(entries)} items"
        ):
            _send(api, batch, report)
    _print(report, len(entries))
    return report.created + report.present > 0


def _read(file: Path, columns: Columns, currency: str, report: Report) -> list[CatalogueRow]:
    """Return one row per SKU; report lines without SKU, name or price as refused."""
    entries: dict[str, CatalogueRow] = {}
    for line, row in rows_of(file, columns.sku, columns.name, columns.price):
        report.lines += 1
        sku, name, price = ((row.get(each) or "").strip() for each in (columns.sku, columns.name, columns.price))
        missing = [
            column for column, value in zip(("SKU", "name", "price"), (sku, name, price), strict=True) if not value
        ]
        if missing:
            report.refused.append((line, sku, f"no {' and no '.join(missing)}"))
            continue
        body = {"sku": sku, "name": name, "price": {"amount": price, "currency": currency}}
        entries[sku] = CatalogueRow(line, body)
    return list(entries.values())


def _send(api: Client, batch: tuple[CatalogueRow, ...], report: Report) -> None:
    answer = api.post("/items/batch", {"items": [entry.body for entry in batch]}, key=str(uuid4()))
    require_success(answer)
    for result in answer.json()["results"]:
        entry = batch[result["index"]]
        if result["status"] == 201:
            report.created += 1
        elif result["problem"]["code"] == "SKU_TAKEN":
            report.present += 1
        else:
            report.refused.append((entry.line, entry.body["sku"], reason_of(result["problem"])))


def _print(report: Report, skus: int) -> None:
    table = Table("", "count", title="Catalogue")
    for name, count in (
        ("lines read", report.lines),
        ("lines refused", len(report.refused)),
        ("SKUs", skus),
        ("items created", report.created),
        ("items already there", report.present),
    ):
        table.add_row(name, f"{count:,}")
    console.print(table)
    for line, sku, reason in sorted(report.refused):
        console.print(f"line {line}, SKU {sku or '-'}: {reason}", highlight=False, markup=False)
    for reason, count in Counter(reason for _, _, reason in report.refused).most_common():
        console.print(f"{count} refused: {reason}", highlight=False, markup=False)
