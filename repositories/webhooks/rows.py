"""Rows of webhook endpoints and deliveries.

A row with an attempt that is due is on the work list. The relay sends a message when such a row appears or gets another
place there; the message names the place, and is void once the row has another one. The place is when the attempt is
overdue, as its message seems to be lost; or when it is due, if no message can be delayed until then.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Self

from domain.common.model import json_of, to_rfc3339
from domain.event_types import Event
from domain.webhooks import Attempt, Delivery, DeliveryStatus, Endpoint
from repositories.dynamodb import work_keys
from repositories.dynamodb.codec import Row, new_row
from repositories.dynamodb.transaction import Stale, WriteTransaction
from repositories.dynamodb.work_list import Work
from repositories.webhooks import keys as webhook_keys
from repositories.webhooks.secrets import FIRST

OVERDUE_AFTER = timedelta(minutes=15)
"""Time after which the sweep looks at an attempt that was not made: more than relay and queue should need."""
LONGEST_DELAY = timedelta(minutes=14)
"""Longest delay of a message: a minute less than a queue allows (SQS developer guide, "Delay queues")."""
_MILLISECOND = timedelta(milliseconds=1)
KEPT = timedelta(days=30)
"""Time for which deliveries are kept: as long as events."""
SHOWN_ATTEMPTS = 12
"""Attempts that a delivery shows, the last ones."""


@dataclass(frozen=True, slots=True)
class StoredEndpoint:
    """An endpoint, what its secret is derived from, and how it has answered lately."""

    endpoint: Endpoint
    enabled_at: datetime
    """Time from which on it gets events, in the order that it has now."""
    generation: int = FIRST
    rotations: tuple[datetime, ...] = ()
    """Times at which a new secret was made, the last ones."""
    failures: int = 0
    """Failed attempts in a row."""
    failing_since: datetime | None = None
    rests_until: datetime | None = None
    """Time before which nothing is sent to it, as it fails."""

    @classmethod
    def from_row(cls, row: Row) -> Self:
        """Return the endpoint of a row."""
        times = {name: _time(row.get(name)) for name in ("failing_since", "rests_until")}
        endpoint, rotations = Endpoint(**row["endpoint"]), tuple(map(datetime.fromisoformat, row["rotations"]))
        enabled_at = datetime.fromisoformat(row["enabled_at"])
        return cls(endpoint, enabled_at, row["generation"], rotations, row["failures"], **times)

    def to_row(self, tenant: str) -> Row:
        """Return its row."""
        times = {
            name: to_rfc3339(at) for name in ("failing_since", "rests_until") if (at := getattr(self, name)) is not None
        }
        return new_row(
            webhook_keys.endpoint(tenant, self.endpoint.id),
            "webhook_endpoint",
            endpoint=json_of(self.endpoint),
            version=self.endpoint.version,
            generation=self.generation,
            rotations=[to_rfc3339(at) for at in self.rotations],
            failures=self.failures,
            enabled_at=to_rfc3339(self.enabled_at),
            **times,
        )

    def healthy(self) -> Self:
        """Return the endpoint with no failures."""
        return replace(self, failures=0, failing_since=None, rests_until=None)


def replace_endpoint(tx: WriteTransaction, tenant: str, before: StoredEndpoint, after: StoredEndpoint) -> None:
    """Add the step that changes an endpoint. It raises Stale if its settings, or how it answers, have changed since."""
    tx.put(
        "change the endpoint",
        after.to_row(tenant),
        condition="version = :seen AND failures = :failures",
        raises=Stale(),
        seen=before.endpoint.version,
        failures=before.failures,
    )


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


@dataclass(frozen=True, slots=True)
class StoredDelivery:
    """A delivery, and what is sent."""

    delivery: Delivery
    body: str
    subject: str
    sequence: int
    at: datetime
    """Time of the event."""
    tries: int = 0
    """Attempts since it was created or retried."""
    version: int = 1
    in_lane: bool = False
    """Whether its lane decides when it is sent."""
    asked: bool = False
    """Whether a user asked for it, so that it is sent even if the endpoint is left alone for a while."""

    @classmethod
    def of(cls, event: Event, at: datetime, *, in_lane: bool, asked: bool = False) -> Self:
        """Return the delivery of an event, due at `at`."""
        delivery = Delivery(
            event_id=event.id,
            type=event.type,
            status=DeliveryStatus.PENDING,
            attempts=[],
            next_attempt_at=None if in_lane else at,
        )
        body = event.model_dump_json()
        return cls(delivery, body, event.subject, int(event.sequence), event.time, in_lane=in_lane, asked=asked)

    @classmethod
    def from_row(cls, row: Row) -> Self:
        """Return the delivery of a row."""
        at, delivery = datetime.fromisoformat(row["at"]), Delivery(**row["delivery"])
        if "attempt_at" in row:
            # The attempt may have been put off since.
            delivery = delivery.model_copy(update={"next_attempt_at": attempt_at(row)})
        names = ("body", "subject", "sequence", "tries", "version", "in_lane", "asked")
        return cls(delivery, at=at, **{name: row[name] for name in names})

    def to_row(self, tenant: str, endpoint_id: str, now: datetime) -> Row:
        """Return its row, which is on the work list if an attempt is due and no lane decides about it."""
        due = None if self.in_lane else self.delivery.next_attempt_at
        return new_row(
            webhook_keys.delivery(tenant, endpoint_id, self.delivery.event_id),
            "delivery",
            delivery=json_of(self.delivery),
            status=self.delivery.status.value,
            body=self.body,
            subject=self.subject,
            sequence=self.sequence,
            at=to_rfc3339(self.at),
            tries=self.tries,
            version=self.version,
            in_lane=self.in_lane,
            asked=self.asked,
            ttl=int((now + KEPT).timestamp()),
            **(due_attributes(self.delivery.event_id, due, now) if due else {}),
        )

    def tried(self, attempt: Attempt, status: DeliveryStatus, next_at: datetime | None) -> Self:
        """Return the delivery after an attempt."""
        attempts = [*self.delivery.attempts, attempt][-SHOWN_ATTEMPTS:]
        delivery = self.delivery.model_copy(update={"attempts": attempts})
        return replace(self, delivery=delivery).moved(status, next_at, tries=self.tries + 1, asked=False)

    def moved(self, status: DeliveryStatus, next_at: datetime | None, **changes: Any) -> Self:
        """Return the delivery with another status and time of the next attempt."""
        update = {"status": status, "next_attempt_at": next_at}
        delivery = self.delivery.model_copy(update=update)
        return replace(self, delivery=delivery, version=self.version + 1, **changes)


def due_attributes(work_id: str, at: datetime, now: datetime, before: Row | None = None) -> dict[str, str]:
    """Return the attributes that put a row with an attempt at `at` on the work list.

    `before` is the row as it is: its new place is another one, so that the relay sees that it has changed.
    """
    if before and "attempt_at" in before and abs(at - attempt_at(before)) < _MILLISECOND:
        at += _MILLISECOND
    overdue = at if at - now > LONGEST_DELAY else at + OVERDUE_AFTER
    return work_keys.due(Work.DELIVERY, work_id, overdue) | {"attempt_at": to_rfc3339(at)}


def attempt_at(row: Row) -> datetime:
    """Return when the attempt of a row on the work list is due."""
    return datetime.fromisoformat(row["attempt_at"])
