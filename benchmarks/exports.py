"""Rows a second and memory of exports: `uv run python -m benchmarks.exports [orders …]` (default: 100,000, 1,000,000).

The orders are written to a local database as rows; then a process of its own writes their export, part by part, as the
worker does. Its memory is the most that it had at any time.
"""

import io
import multiprocessing
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import redirect_stdout
from itertools import batched
from typing import Any, NamedTuple
from unittest.mock import patch

from benchmarks.cost import forget_clients
from domain.common.environment import now
from domain.common.ids import derived_id
from domain.exports import Dataset, ExportFormat, NewExport
from domain.identity.permissions import Caller
from local.database import TABLE_NAME
from local.http.server import settings_for
from local.samples.data import ITEM_ID, ORDERS, TENANT, add_samples
from local.services import services
from repositories.aws.clients import dynamodb
from repositories.dynamodb import keys
from repositories.dynamodb.codec import encode
from repositories.dynamodb.keys import Key
from repositories.dynamodb.session import Session
from repositories.dynamodb.table import Meter, Table
from repositories.exports import keys as export_keys
from repositories.exports.repository import ExportRepository, parts
from repositories.exports.walking import Pace
from repositories.exports.working import work
from repositories.orders.rows import StoredOrder, order_to_row

_SIZES = (100_000, 1_000_000)
_ALL_FORMATS = 200_000
"""Orders up to which every format is measured."""
_SECONDS = 7200.0


class Measured(NamedTuple):
    """What the process that wrote an export needed."""

    rows: int
    parts: int
    seconds: float
    megabytes: float
    """The most memory that it had."""
    read_units: float


def main() -> None:
    """Print a table."""
    sizes = [int(each) for each in sys.argv[1:]] or _SIZES
    print("| orders | format | parts | rows a second | memory, MB | read units a row |")
    print("| ---: | --- | ---: | ---: | ---: | ---: |")
    for count in sizes:
        with services():
            settings_for(None)
            with redirect_stdout(io.StringIO()):
                forget_clients()
                add_samples()
            _fill(count)
            for form in ExportFormat if count <= _ALL_FORMATS else (ExportFormat.PARQUET,):
                got = _measured(form)
                per_row = got.read_units / got.rows
                speed = got.rows / got.seconds
                print(f"| {got.rows:,} | {form} | {got.parts} | {speed:,.0f} | {got.megabytes:.0f} | {per_row:.2f} |")


def _session() -> Session:
    table = Table(dynamodb(), TABLE_NAME, Meter())
    return Session(table, Caller.system(TENANT), now(), time.monotonic() + _SECONDS)


def _fill(count: int) -> None:
    """Write orders of one line each, created a minute ago, by copying one."""
    session = _session()
    row = session.table.get(keys.order(TENANT, next(iter(ORDERS))))
    if row is None:
        raise AssertionError(f"there is no order of {ITEM_ID}")
    order = StoredOrder.from_row(row).order
    for numbers in batched(range(count), 25, strict=False):
        requests: Any = []
        for number in numbers:
            copy = order.model_copy(update={"id": derived_id("order", order.created_at, number.to_bytes(10))})
            requests.append({"PutRequest": {"Item": encode(order_to_row(TENANT, copy, ()))}})
        dynamodb().batch_write_item(RequestItems={TABLE_NAME: requests})


def _measured(form: ExportFormat) -> Measured:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return Measured(*pool.apply(_export, (form,)))


def _export(form: ExportFormat) -> tuple[Any, ...]:
    """Write an export of all orders in this process, at full speed."""
    session = _session()
    export = ExportRepository(session).create(NewExport(dataset=Dataset.ORDERS, format=form))
    before, began = session.table.meter.read_units, time.perf_counter()
    with patch.object(Pace, "keep"):
        for key in _pending(session, export.id):
            work(session, key)
    seconds = time.perf_counter() - began
    done = ExportRepository(session).get(export.id)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return done.progress.rows, done.progress.parts, seconds, peak, session.table.meter.read_units - before


def _pending(session: Session, export_id: str) -> Iterator[Key]:
    while waiting := [part for part in parts(session, export_id) if part.written is None]:
        yield from (export_keys.part(TENANT, export_id, part.number) for part in waiting)


if __name__ == "__main__":
    main()
