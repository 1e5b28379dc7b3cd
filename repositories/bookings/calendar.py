"""Calendars: pages of what is taken, each written under the version that was read.

A booking that is taken is put on all pages that it touches, in the transaction of its row. Two that share an instant
share a page, so one of them is decided after the other, whatever else happens.
"""

import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import batched
from typing import NamedTuple

from domain.bookings.calendar import Entry, counting, page_start, pages_of, peak, seconds
from domain.bookings.hours import Span
from domain.common.errors import InvalidState
from repositories.bookings import keys
from repositories.dynamodb.codec import Row, new_row
from repositories.dynamodb.keys import Key
from repositories.dynamodb.session import Session
from repositories.dynamodb.transaction import Stale, WriteTransaction

_MAX_BYTES = 350_000
"""Maximum size of a page's entries. DynamoDB's limit is 400 KB a row."""
_AT_ONCE = 90


class Place(NamedTuple):
    """Where in a calendar a booking is: the resource, the days that its pages cover, and the span that it takes."""

    resource_id: str
    days: int
    occupied: Span

    @property
    def pages(self) -> list["PageId"]:
        """The pages that it touches."""
        return [PageId(self.resource_id, self.days, number) for number in pages_of(self.occupied, self.days)]

    @property
    def most_pages(self) -> int:
        """The most pages that as long a booking can touch, wherever it is moved."""
        return (seconds(self.occupied.end) - seconds(self.occupied.start) - 1) // (self.days * 86_400) + 2


class PageId(NamedTuple):
    """A page of a resource's calendar."""

    resource_id: str
    days: int
    number: int

    @property
    def span(self) -> Span:
        """The time that it covers."""
        return Span(page_start(self.number, self.days), page_start(self.number + 1, self.days))

    def key(self, tenant: str) -> Key:
        """Return the key of its row."""
        return keys.page(tenant, self.resource_id, self.span.start)


@dataclass(slots=True)
class Page:
    """Entries of a page by the id of the booking, and the version as it was read; 0: there is no such page yet."""

    version: int
    entries: dict[str, Entry]
    is_changed: bool = False

    @classmethod
    def from_row(cls, row: Row | None) -> "Page":
        """Return the page of a row, or an empty one."""
        return cls(row["version"], {each.booking_id: each for each in entries_of(row)}) if row else cls(0, {})


def entries_of(row: Row) -> Iterator[Entry]:
    """Yield the entries of a page's row."""
    return (Entry(*each) for each in json.loads(zlib.decompress(row["entries"])))


def entries_between(session: Session, place: Place) -> Iterator[Entry]:
    """Yield the entries on all pages that a span touches, read consistently by one query; some come more than once."""
    first, last = (place.pages[n].key(session.tenant) for n in (0, -1))
    values = {":pk": first.pk, ":first": first.sk, ":last": last.sk}
    for row in session.table.every("pk = :pk AND sk BETWEEN :first AND :last", values):
        yield from entries_of(row)


@dataclass(slots=True)
class Calendar:
    """Pages that are read, and changed together in one transaction."""

    session: Session
    _pages: dict[PageId, Page] = field(default_factory=dict)

    def read(self, places: Iterable[Place]) -> None:
        """Read the pages of places, those that were not read yet."""
        wanted = dict.fromkeys(page for place in places for page in place.pages if page not in self._pages)
        for some in batched(wanted, _AT_ONCE, strict=False):
            by_key = {page.key(self.session.tenant): page for page in some}
            rows: Mapping[Key, Row] = self.session.read(by_key)
            self._pages |= {page: Page.from_row(rows.get(key)) for key, page in by_key.items()}

    def free(self, place: Place, capacity: int, booking_id: str) -> int:
        """Return the units that are free throughout a place, without those of the booking itself."""
        start, end = (seconds(each) for each in place.occupied)
        taken = 0
        for number in place.pages:
            others = (each for each in self._pages[number].entries.values() if each.booking_id != booking_id)
            begins, ends = (seconds(each) for each in number.span)
            counted = counting(others, seconds(self.session.at))
            taken = max(taken, peak(counted, max(start, begins), min(end, ends)))
        return capacity - taken

    def version(self, page: PageId) -> int:
        """Return the version of a page as it was read; 0 if there was none."""
        return self._pages[page].version

    def holds(self, place: Place, entry: Entry) -> bool:
        """Return whether an entry is on all pages of its place, as they were read."""
        return all(self._pages[number].entries.get(entry.booking_id) == entry for number in place.pages)

    def take(self, place: Place, entry: Entry) -> None:
        """Put an entry on all pages of its place, in place of the booking's entry before."""
        for number in place.pages:
            self._pages[number].is_changed = True
            self._pages[number].entries[entry.booking_id] = entry

    def give_back(self, place: Place, booking_id: str) -> None:
        """Remove a booking from the pages of a place.

        All of them are written: one that does not have it may have been read before its last change was visible.
        """
        for number in place.pages:
            self._pages[number].is_changed = True
            self._pages[number].entries.pop(booking_id, None)

    @property
    def changed(self) -> int:
        """Number of pages that are changed."""
        return sum(page.is_changed for page in self._pages.values())

    def add_to(self, tx: WriteTransaction) -> None:
        """Add the steps that write the changed pages, without holds that have ended. They raise Stale on a conflict."""
        for number, page in self._pages.items():
            if page.is_changed:
                self._write(tx, number, page)

    def _write(self, tx: WriteTransaction, number: PageId, page: Page) -> None:
        entries = sorted(counting(page.entries.values(), seconds(self.session.at)))
        packed = zlib.compress(json.dumps(entries, separators=(",", ":")).encode())
        if len(packed) > _MAX_BYTES:
            raise InvalidState("The resource has too many bookings at this time: split it into several resources.")
        row = new_row(number.key(self.session.tenant), "page", version=page.version + 1, entries=packed)
        if page.version:
            tx.put("write the page", row, condition="version = :seen", raises=Stale(), seen=page.version)
        else:
            tx.create("begin the page", row, raises=Stale())
