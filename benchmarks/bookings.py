"""Cost and ceiling of bookings: `uv run python -m benchmarks.bookings [threads]` (default: 32).

Write units are those of the pages and of the booking itself, and all that a request consumes. The ceiling is how many
bookings a second one page takes on a local server, as each waits for the one before; of that many threads, each books
another time, so that all succeed.
"""

import io
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stdout
from datetime import datetime, timedelta
from random import Random

from benchmarks.cost import forget_clients
from domain.bookings.booking import NewBooking
from domain.bookings.calendar import DAY_PAGES, pages_of
from domain.bookings.hours import Span
from domain.bookings.resources import NewResource
from domain.common.environment import now
from domain.common.errors import Contention
from domain.identity.permissions import Caller
from local.database import TABLE_NAME
from local.http.server import settings_for
from local.samples.data import TENANT, add_samples
from local.services import services
from repositories.aws.clients import dynamodb
from repositories.bookings.repository import BookingRepository
from repositories.bookings.resources import ResourceRepository
from repositories.dynamodb.session import Session
from repositories.dynamodb.table import Meter, Table

_LENGTHS = {
    "1 hour": (10, timedelta(hours=1)),
    "8 hours": (10, timedelta(hours=8)),
    "3 days": (10, timedelta(days=3)),
    "88 days, from midnight": (0, timedelta(days=88)),
}
"""Hour at which they begin, and length."""
_OTHER_UNITS = 5.0
"""Write units of the row of events, in the transaction, and of the booking's entries in three indexes."""
_EACH = 20
"""Bookings of a thread."""


def main() -> None:
    """Print the two tables."""
    threads = int(sys.argv[1]) if sys.argv[1:] else 32
    with services(), redirect_stdout(io.StringIO()):
        settings_for(None)
        forget_clients()
        add_samples()
        costs = _costs()
        ceilings = {f"{pages} pages" if pages > 1 else "one page": _ceiling(threads, pages) for pages in (1, 8)}
    print("| booking | pages | units of pages and booking | units of the request |\n| --- | ---: | ---: | ---: |")
    for name, (pages, own, all_units) in costs.items():
        print(f"| {name} | {pages} | {own:g} | {all_units:g} |")
    print(f"\n| {threads} threads | bookings a second | gave up (CONTENTION) |\n| --- | ---: | ---: |")
    for name, (rate, given_up) in ceilings.items():
        print(f"| {name} | {rate:.0f} | {given_up:.1%} |")


def _session() -> Session:
    table = Table(dynamodb(), TABLE_NAME, Meter())
    return Session(table, Caller.system(TENANT), now(), time.monotonic() + 20)


def _resource() -> str:
    new = NewResource(name="Flat", min_minutes=1, max_minutes=88 * 1440, capacity=1000)
    return ResourceRepository(_session()).create(new).id


def _book(resource_id: str, start: datetime, length: timedelta) -> float:
    """Book, and return the write units."""
    session = _session()
    new = NewBooking(resource_id=resource_id, starts_at=start, ends_at=start + length)
    BookingRepository(session).create(new)
    return session.table.meter.write_units


def _tomorrow() -> datetime:
    return (now() + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)


def _costs() -> dict[str, tuple[int, float, float]]:
    """Return pages, units of pages and booking, and units of all, by length."""
    found = {}
    for name, (hour, length) in _LENGTHS.items():
        start = _tomorrow() + timedelta(hours=hour)
        units = _book(_resource(), start, length)
        found[name] = (len(pages_of(Span(start, start + length), DAY_PAGES)), units - _OTHER_UNITS, units)
    return found


def _ceiling(threads: int, pages: int) -> tuple[float, float]:
    """Return how many bookings a second as many pages take, and the share that gave up."""
    resource_id, counted = _resource(), Counter[bool]()

    def trade(number: int) -> None:
        chance = Random(number)
        for _ in range(_EACH):
            start = _tomorrow() + timedelta(days=chance.randrange(pages), minutes=chance.randrange(1300))
            try:
                _book(resource_id, start, timedelta(minutes=30))
                counted[True] += 1
            except Contention:
                counted[False] += 1

    with ThreadPoolExecutor(threads) as pool:
        seconds = _timed(lambda: [*pool.map(trade, range(threads))])
    return counted[True] / seconds, counted[False] / counted.total()


def _timed(call: Callable[[], object]) -> float:
    began = time.monotonic()
    call()
    return time.monotonic() - began


if __name__ == "__main__":
    main()
