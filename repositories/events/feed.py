"""Feed of a tenant's events, oldest first: each once, and none before its subject's last one.

Events have the time of their request, and a function that ends within seconds of it commits them. So the events of an
instant are final after `FINAL_AFTER`, and only those are shown: what is read once stays the same, and none can come
before it. Events of one time are ordered by sequence number and id.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from domain.common.environment import in_parallel
from domain.common.events import FINAL_AFTER, LIFETIME
from domain.common.model import to_rfc3339
from domain.event_types import Event, EventPage, type_of
from repositories.dynamodb import keys
from repositories.dynamodb.codec import Row
from repositories.dynamodb.iam_actions import IamAction, uses
from repositories.dynamodb.session import Session
from repositories.dynamodb.table import QueryPage
from repositories.events.rows import event_of
from repositories.paging.cursors import seal, unseal

MAX_EXAMINED = 1000
"""Maximum events examined for one page of a feed of some types; beyond it, a page may be short."""
_MARGIN = 10
"""Rows that are read of each shard beyond its share of a page."""
_LAST = 10**15
"""Sequence number above that of any event."""


class Position(NamedTuple):
    """Place of an event in the feed."""

    at: str
    sequence: int
    id: str


class _Placed(NamedTuple):
    position: Position
    stored: Row


@dataclass(frozen=True, slots=True)
class EventRepository:
    """The events of the caller's tenant."""

    session: Session

    @uses(IamAction.GET, IamAction.QUERY, IamAction.SIGN)
    def feed(self, after: str | None, types: frozenset[str], limit: int) -> EventPage:
        """Return the events after a cursor, or those of the last 30 days; of some types, or of all if none is given.

        Raises CursorInvalid.
        """
        end = Position(to_rfc3339(self.session.at - FINAL_AFTER), _LAST, "")
        start = self._start(after)
        shown: list[Event] = []
        place = start
        for examined, (place, stored) in enumerate(self._events(start, end, limit), start=1):
            if not types or type_of(stored["kind"]) in types:
                shown.append(event_of(self.session.tenant, place.at, stored))
            if len(shown) == limit or examined == MAX_EXAMINED:
                return EventPage(items=shown, next_cursor=self._sealed(place))
        return EventPage(items=shown, next_cursor=self._sealed(max(place, end)))

    def _start(self, after: str | None) -> Position:
        """Return the place after which to read: that of a cursor, but no earlier than events are kept."""
        if after is not None:
            at, sequence, event_id = unseal(after, self._query, LIFETIME).split(" ")
            return max(Position(at, int(sequence), event_id), self._oldest(self.session.at - LIFETIME))
        tenant = self.session.table.get(keys.tenant(self.session.tenant))
        oldest = self.session.at - LIFETIME
        if tenant:
            # Clocks differ: the first events may be older than the tenant.
            oldest = max(oldest, datetime.fromisoformat(tenant["head"]["created_at"]) - FINAL_AFTER)
        return self._oldest(oldest)

    def _oldest(self, at: datetime) -> Position:
        return Position(to_rfc3339(at), -1, "")

    def _sealed(self, place: Position) -> str:
        return seal(f"{place.at} {place.sequence} {place.id}", self._query)

    @property
    def _query(self) -> str:
        return f"{self.session.tenant}\nEVENT"

    def _events(self, start: Position, end: Position, wanted: int) -> Iterator[_Placed]:
        """Yield the events between two places in order, reading about `wanted` at a time."""
        day = datetime.fromisoformat(start.at)
        while to_rfc3339(day) <= end.at:
            place = max(start, self._oldest(day))
            while place.at <= end.at and (found := self._read(day, place, end, wanted)):
                yield from found
                place = found[-1].position
            day = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)

    def _read(self, day: datetime, after: Position, end: Position, wanted: int) -> list[_Placed]:
        """Return the next events of a day in order: at least one, unless there are no more."""
        limit = wanted // keys.SHARDS + _MARGIN
        while True:
            pages = self._pages(day, after, end, limit)
            # Beyond the last row of a shard that has more, others may have events that belong before its next one.
            before = min((page.rows[-1]["at"] for page in pages if page.more), default=None)
            rows = [row for page in pages for row in page.rows if before is None or row["at"] < before]
            found = sorted(each for row in rows for each in _placed(row) if each.position > after)
            if found or before is None:
                return found
            limit *= 2

    def _pages(self, day: datetime, after: Position, end: Position, limit: int) -> list[QueryPage]:
        """Return the rows of each shard of a day, from the time of a place on."""
        values = {":after": after.at, ":until": keys.events_until(end.at)}
        condition = "pk = :pk AND sk BETWEEN :after AND :until"
        table = self.session.table
        return in_parallel(
            lambda pk: table.query(condition, values | {":pk": pk}, limit=limit, consistent=True),
            keys.event_pks(self.session.tenant, day),
        )


def _placed(row: Row) -> list[_Placed]:
    return [_Placed(Position(row["at"], each["sequence"], each["id"]), each) for each in row["events"]]
