"""Calendar of a resource: what is taken at which times, on pages that each cover a fixed period of time.

An entry is on every page that it touches. Whether there is room is decided page by page, as each page is written under
its own version: two bookings that share an instant share a page.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import NamedTuple

from domain.bookings.hours import Span

DAY_PAGES = 1
LONG_PAGES = 32
"""Days that a page covers: one, or for resources that are taken for months at a time, 32."""
MAX_PAGES = 90
"""Maximum pages of one booking, and of a move from some to others. DynamoDB's limit is 100 actions a transaction."""
LONGEST_BY_DAY = timedelta(days=88)
"""Longest booking with pages of a day: with a day of buffers and where it begins, it touches 90 pages."""


class Entry(NamedTuple):
    """A booking on a page: the seconds of the epoch between which it takes units, buffers included."""

    start: int
    end: int
    units: int
    booking_id: str
    until: int | None = None
    """Time at which it ends to count, as it is held and not confirmed; None: it counts until it is removed."""

    def counts(self, at: int) -> bool:
        """Return whether it takes units at a time of the clock."""
        return self.until is None or self.until > at


def pages_of(span: Span, days: int) -> range:
    """Return the numbers of the pages that a span touches, if each covers that many days."""
    length = days * 86_400
    return range(seconds(span.start) // length, (seconds(span.end) - 1) // length + 1)


def page_start(number: int, days: int) -> datetime:
    """Return the time at which a page begins."""
    return datetime.fromtimestamp(number * days * 86_400, UTC)


def seconds(at: datetime) -> int:
    """Return a time as seconds of the epoch."""
    return int(at.timestamp())


def peak(entries: Iterable[Entry], start: int, end: int) -> int:
    """Return the most units that entries take at an instant from `start` to before `end`."""
    changes = []
    for each in entries:
        begins, ends = max(each.start, start), min(each.end, end)
        if begins < ends:
            changes += [(begins, each.units), (ends, -each.units)]
    # Of changes at one instant, those that give back come first: an end may touch a beginning.
    return max(accumulate((units for _, units in sorted(changes)), initial=0))


class Taken:
    """Units that entries take over time, to look up many spans."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        changes: dict[int, int] = {}
        for each in entries:
            changes[each.start] = changes.get(each.start, 0) + each.units
            changes[each.end] = changes.get(each.end, 0) - each.units
        self._times = sorted(changes)
        self._levels = [0, *accumulate(changes[at] for at in self._times)]

    def peak(self, start: int, end: int) -> int:
        """Return the most units taken at an instant from `start` to before `end`."""
        return max(self._levels[bisect_right(self._times, start) : bisect_left(self._times, end) + 1])

    def changes(self, start: int, end: int) -> Sequence[int]:
        """Return the times between two at which the number of units changes."""
        return self._times[bisect_right(self._times, start) : bisect_left(self._times, end)]


def counting(entries: Iterable[Entry], at: int) -> Iterator[Entry]:
    """Yield the entries that take units at a time of the clock."""
    return (each for each in entries if each.counts(at))
