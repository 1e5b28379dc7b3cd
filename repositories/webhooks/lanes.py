"""Lanes: the events of one subject for an endpoint that wants them in order, delivered one after the other.

An event waits in its lane under its sequence number. A lane knows which events of its subject have been handled, those
that the endpoint does not want too, so that it sees what is still missing: then the events after it wait, but not for
ever. The lane, and not the delivery, is on the work list while events wait in it.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Self

from domain.common.events import FINAL_AFTER
from domain.common.ids import time_of
from domain.common.model import to_rfc3339
from domain.event_types import Event
from repositories.dynamodb.codec import Row, new_row
from repositories.dynamodb.keys import Key
from repositories.dynamodb.session import Session
from repositories.dynamodb.table import Table
from repositories.dynamodb.transaction import Stale, WriteTransaction
from repositories.dynamodb.work_list import make_due
from repositories.webhooks import keys as webhook_keys
from repositories.webhooks.rows import KEPT, StoredEndpoint, due_attributes

MISSING_FOR = timedelta(hours=2)
"""Age from which an event does not wait for a missing one before it: the sweep finds lost events in less time."""
_SKEW = timedelta(seconds=10)
"""More than clocks of functions differ."""


class AttemptVoidError(Exception):
    """Another attempt, or a command, has come between."""


@dataclass(frozen=True, slots=True)
class Lane:
    """Lane of a subject: how many events wait, and which have been handled."""

    subject: str
    waiting: int = 0
    handled: int = 0
    """Sequence number up to which all events have been handled; 0 if that is not known."""
    beyond: tuple[int, ...] = ()
    """Sequence numbers of handled events that come after missing ones, in order."""
    version: int = 0
    is_whole: bool = False
    """Whether the endpoint gets the subject's events from the first one on."""

    @classmethod
    def from_row(cls, row: Row) -> Self:
        """Return the lane of a row."""
        beyond = tuple(row["beyond"])
        return cls(row["subject"], row["waiting"], row["handled"], beyond, row["version"], row["is_whole"])

    def to_row(self, tenant: str, endpoint_id: str, now: datetime, due: dict[str, str]) -> Row:
        """Return its row, with its place on the work list."""
        return new_row(
            webhook_keys.lane(tenant, endpoint_id, self.subject),
            "lane",
            subject=self.subject,
            waiting=self.waiting,
            handled=self.handled,
            beyond=list(self.beyond),
            version=self.version,
            is_whole=self.is_whole,
            changed_at=to_rfc3339(now),
            ttl=int((now + KEPT).timestamp()),
            **due,
        )

    def knows(self, sequence: int) -> bool:
        """Return whether an event has been handled."""
        return sequence <= self.handled or sequence in self.beyond

    def handling(self, sequence: int) -> "Lane":
        """Return the lane after an event was handled."""
        return self._filled(self.handled, {*self.beyond, sequence})

    def passing(self, sequence: int) -> "Lane":
        """Return the lane after an event was dealt with: what is missing before it is not waited for any more."""
        return self._filled(max(self.handled, sequence), {*self.beyond})

    def _filled(self, handled: int, beyond: set[int]) -> "Lane":
        while handled + 1 in beyond:
            handled += 1
        return replace(self, handled=handled, beyond=tuple(sorted(each for each in beyond if each > handled)))

    def ready_at(self, sequence: int, at: datetime) -> datetime:
        """Return from when on an event of a time can be sent.

        At once if all before it have been handled. If one is missing, when it has been missing for long; and if it is
        not known which there are, as the subject is older than what the endpoint gets, when the event is final.
        """
        if sequence <= self.handled:
            return at
        return at + (MISSING_FOR if self.handled or self.is_whole else FINAL_AFTER)


def join(tx: WriteTransaction, session: Session, endpoint: StoredEndpoint, event: Event, *, wanted: bool) -> None:
    """Add the steps with which an event is handled by its lane and, if it is wanted, waits in it.

    They raise Stale on a conflict. Nothing is added for an event that is not wanted and was handled before.
    """
    tenant, now, endpoint_id = session.tenant, session.at, endpoint.endpoint.id
    subject, sequence = event.subject, int(event.sequence)
    row = session.table.get(webhook_keys.lane(tenant, endpoint_id, subject))
    before = _lane_of(row, endpoint, subject)
    if not wanted and before.knows(sequence):
        return
    after = before.handling(sequence)
    if wanted:
        after = replace(after, waiting=before.waiting + 1)
        place = webhook_keys.waiting(tenant, endpoint_id, subject, sequence)
        until = int((now + KEPT).timestamp())
        waits = new_row(place, "waiting", event_id=event.id, at=to_rfc3339(event.time), ttl=until)
        tx.create("wait in the lane", waits, raises=Stale())
    is_ready = after.waiting and (not before.waiting or after.handled > before.handled)
    due = due_attributes(subject, now, now) if is_ready else _due_of(row) if after.waiting else {}
    _put(tx, row, replace(after, version=before.version + 1).to_row(tenant, endpoint_id, now, due))


def _lane_of(row: Row | None, endpoint: StoredEndpoint, subject: str) -> Lane:
    """Return the lane of a row. What it knew before the endpoint was enabled says nothing about what came since."""
    born = time_of(subject.partition("/")[0])
    is_whole = born is not None and born > endpoint.enabled_at + _SKEW
    if row is None:
        return Lane(subject, is_whole=is_whole)
    lane = Lane.from_row(row)
    is_old = datetime.fromisoformat(row["changed_at"]) < endpoint.enabled_at
    return replace(lane, handled=0, beyond=(), is_whole=is_whole) if is_old else lane


def _due_of(row: Row | None) -> dict[str, str]:
    return {name: row[name] for name in ("gsi3pk", "gsi3sk", "attempt_at") if row and name in row}


def _put(tx: WriteTransaction, before: Row | None, after: Row) -> None:
    if before is None:
        tx.create("open the lane", after, raises=Stale())
        return
    is_due: dict[str, Any] = {"due": before["gsi3sk"]} if "gsi3sk" in before else {}
    condition = "version = :seen AND " + ("gsi3sk = :due" if is_due else "attribute_not_exists(gsi3sk)")
    tx.put("change the lane", after, condition=condition, raises=Stale(), seen=before["version"], **is_due)


def wake(tx: WriteTransaction, session: Session, endpoint_id: str, subject: str) -> None:
    """Add the step that makes a lane with events due now. It raises Stale on a conflict."""
    key = webhook_keys.lane(session.tenant, endpoint_id, subject)
    row = session.table.get(key)
    if row is None or not row["waiting"]:
        raise Stale
    make_due(tx, "wake the lane", key, row["gsi3sk"], due_attributes(subject, session.at, session.at), raises=Stale())


def first_of(table: Table, tenant: str, endpoint_id: str, subject: str) -> Row | None:
    """Return the first row that waits in a lane."""
    low, high = (webhook_keys.waiting(tenant, endpoint_id, subject, number) for number in (0, 10**12 - 1))
    values = {":pk": low.pk, ":low": low.sk, ":high": high.sk}
    rows = table.query("pk = :pk AND sk BETWEEN :low AND :high", values, limit=1, consistent=True).rows
    return rows[0] if rows else None


def leave(tx: WriteTransaction, session: Session, endpoint_id: str, row: Row, place: Key) -> None:
    """Add the steps with which the first of a lane leaves it; the next is due now.

    They raise AttemptVoidError if it has left before, and Stale on another conflict.
    """
    tx.delete_if("leave the lane", place, condition="attribute_exists(pk)", raises=AttemptVoidError())
    before = Lane.from_row(row)
    after = replace(before.passing(webhook_keys.sequence_of(place)), waiting=before.waiting - 1)
    due = due_attributes(after.subject, session.at, session.at, row) if after.waiting else {}
    _put(tx, row, replace(after, version=before.version + 1).to_row(session.tenant, endpoint_id, session.at, due))


def close(tx: WriteTransaction, session: Session, endpoint_id: str, row: Row) -> None:
    """Add the step that notes that nothing waits in a lane: what waited was deleted, as it was too old."""
    before = Lane.from_row(row)
    after = replace(before, waiting=0, version=before.version + 1)
    _put(tx, row, after.to_row(session.tenant, endpoint_id, session.at, {}))
