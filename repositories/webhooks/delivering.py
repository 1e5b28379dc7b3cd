"""Attempts to deliver events to endpoints, and what follows from them.

An attempt is made for a row of the work list: a delivery, or a lane whose first event it is then. It names the place of
the row there, and is void if the row has another one by then. What comes of it is noted only if the row still has it:
of two attempts at once one is noted, and the endpoint gets the event twice with one id.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from domain.common.environment import chance, now, sleep
from domain.common.events import DomainEvent
from domain.webhooks import DISABLED_AFTER, Attempt, DeliveryStatus, EndpointStatus, pause_before, rest_after
from repositories.dynamodb.codec import Row
from repositories.dynamodb.iam_actions import IamAction, uses
from repositories.dynamodb.keys import Key
from repositories.dynamodb.session import Session
from repositories.dynamodb.transaction import Stale, WriteTransaction
from repositories.dynamodb.work_list import make_due
from repositories.webhooks import keys as webhook_keys
from repositories.webhooks import sending
from repositories.webhooks.lanes import AttemptVoidError, Lane, close, first_of, leave
from repositories.webhooks.rows import StoredDelivery, StoredEndpoint, due_attributes, replace_endpoint
from repositories.webhooks.secrets import signatures, valid_secrets
from repositories.webhooks.sending import Outcome

_GONE = 410
_SOON = timedelta(seconds=3)
"""Time before an attempt that is worth waiting for: messages may come a little early, as clocks differ."""
_VISIBLE_AFTER = timedelta(hours=1)
"""Time after which everything that was written with a row is visible for certain."""
_SPREAD_SECONDS = 30.0
"""Seconds over which attempts are spread after an endpoint was left alone."""

type Change = Callable[[StoredEndpoint], tuple[StoredEndpoint, list[DomainEvent]] | None]


@uses(IamAction.GET, IamAction.QUERY, IamAction.PUT, IamAction.UPDATE, IamAction.DELETE, IamAction.SIGN_WEBHOOKS)
def deliver(session: Session, key: Key, due: str) -> str:
    """Make the attempt that is due for a row with the place `due` on the work list. Return what came of it.

    Raises Contention, Unavailable.
    """
    row = session.table.get(key)
    if row is None or row.get("gsi3sk") != due:
        return "void"
    return _Delivering(session, key, row).run()


@dataclass(frozen=True, slots=True)
class _Delivering:
    session: Session
    key: Key
    row: Row
    """The row of the work list."""

    @property
    def _endpoint_id(self) -> str:
        return webhook_keys.endpoint_of(self.key.pk)

    def run(self) -> str:
        try:
            if self.row["type"] == "lane":
                return self._lane()
            return self._attempt(StoredDelivery.from_row(self.row), None)
        except AttemptVoidError:
            return "void"

    def _lane(self) -> str:
        """Attempt the first event of a lane, if its time has come."""
        tenant, table = self.session.tenant, self.session.table
        first = first_of(table, tenant, self._endpoint_id, self.row["subject"])
        if first is None:
            return self._empty()
        place = Key(first["pk"], first["sk"])
        at = datetime.fromisoformat(first["at"])
        ready = Lane.from_row(self.row).ready_at(webhook_keys.sequence_of(place), at)
        if ready > self.session.at + _SOON:
            self._put_off(ready)
            return "not yet"
        sleep(max(0.0, (ready - self.session.at).total_seconds()))
        try:
            found = self.session.find(webhook_keys.delivery(tenant, self._endpoint_id, first["event_id"]))
        except Stale:
            return self._not_visible()
        if found is None:  # it was deleted, as it was too old
            self._commit(lambda tx: leave(tx, self.session, self._endpoint_id, self.row, place))
            return "void"
        stored = StoredDelivery.from_row(found)
        if stored.delivery.status is not DeliveryStatus.PENDING:  # it has left the lane, and its place is still visible
            return self._not_visible()
        return self._attempt(stored, place)

    def _empty(self) -> str:
        """Close a lane in which nothing waits any more, unless what does may not be visible yet."""
        if self.session.at - datetime.fromisoformat(self.row["changed_at"]) < _VISIBLE_AFTER:
            return self._not_visible()
        self._commit(lambda tx: close(tx, self.session, self._endpoint_id, self.row))
        return "void"

    def _not_visible(self) -> str:
        """Look again a little later: rows of one transaction become visible one after the other."""
        self._put_off(self.session.at + _SOON)
        return "not yet"

    def _attempt(self, stored: StoredDelivery, place: Key | None) -> str:
        endpoint = self._endpoint()
        if endpoint is None or endpoint.endpoint.status is EndpointStatus.DISABLED:
            self._settle(stored.moved(DeliveryStatus.FAILED, None), place)
            return "dropped"
        rests_until = endpoint.rests_until
        if rests_until and rests_until > self.session.at and not stored.asked:
            self._put_off(rests_until + timedelta(seconds=chance().uniform(0, _SPREAD_SECONDS)))
            return "resting"
        return self._note(endpoint, stored, place, self._send(endpoint, stored))

    def _endpoint(self) -> StoredEndpoint | None:
        row = self.session.table.get(webhook_keys.endpoint(self.session.tenant, self._endpoint_id))
        return StoredEndpoint.from_row(row) if row else None

    def _send(self, endpoint: StoredEndpoint, stored: StoredDelivery) -> Outcome:
        at, shown = now(), endpoint.endpoint
        secrets = valid_secrets(self.session.tenant, shown.id, endpoint.generation, endpoint.rotations, at)
        event_id = stored.delivery.event_id
        headers = {
            "webhook-id": event_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": signatures(secrets, event_id, at, stored.body),
        }
        return sending.send(shown.url, headers, stored.body)

    def _note(self, endpoint: StoredEndpoint, stored: StoredDelivery, place: Key | None, outcome: Outcome) -> str:
        """Note an attempt: the delivery is done, due again or given up, and the endpoint well, failing or disabled."""
        at = now()
        attempt = Attempt(at=at, status=outcome.status, duration_ms=outcome.duration_ms, error=outcome.error)
        pause = None if outcome.status == _GONE else pause_before(stored.tries + 1, chance())
        # The endpoint first: that it is gone, or well again, must not be lost by a crash between the two.
        self._note_health(endpoint, outcome, at)
        if outcome.succeeded:
            self._settle(stored.tried(attempt, DeliveryStatus.SUCCEEDED, None), place)
            return "succeeded"
        if pause is None:
            self._settle(stored.tried(attempt, DeliveryStatus.FAILED, None), place)
        else:
            self._settle(stored.tried(attempt, DeliveryStatus.PENDING, at + pause), place)
        return "failed"

    def _settle(self, after: StoredDelivery, place: Key | None) -> None:
        """Store what came of an attempt. Raises AttemptVoidError if another one has been noted, Contention."""

        def add(tx: WriteTransaction) -> None:
            row = after.to_row(self.session.tenant, self._endpoint_id, self.session.at)
            if place is None:
                tx.put(
                    "note the attempt",
                    row,
                    condition="gsi3sk = :due",
                    raises=AttemptVoidError(),
                    due=self.row["gsi3sk"],
                )
                return
            seen = after.version - 1
            tx.put("note the attempt", row, condition="version = :seen", raises=AttemptVoidError(), seen=seen)
            self._settle_lane(tx, after, place)

        self._commit(add)

    def _settle_lane(self, tx: WriteTransaction, after: StoredDelivery, place: Key) -> None:
        lane, again_at = self._current(), after.delivery.next_attempt_at
        if after.delivery.status is DeliveryStatus.PENDING and again_at:
            self._make_due(tx, again_at)
        else:
            leave(tx, self.session, self._endpoint_id, lane, place)

    def _current(self) -> Row:
        """Return the row as it is now. Raises AttemptVoidError if it has another place on the work list."""
        row = self.session.table.get(self.key)
        if row is None or row.get("gsi3sk") != self.row["gsi3sk"]:
            raise AttemptVoidError
        return row

    def _put_off(self, until: datetime) -> None:
        """Make the row due again at another time, without an attempt. Raises AttemptVoidError."""
        self._commit(lambda tx: self._make_due(tx, until))

    def _make_due(self, tx: WriteTransaction, at: datetime) -> None:
        is_lane = self.row["type"] == "lane"
        work_id = self.row["subject"] if is_lane else self.row["delivery"]["event_id"]
        place = due_attributes(work_id, at, self.session.at, self.row)
        make_due(tx, "make it due again", self.key, self.row["gsi3sk"], place, raises=AttemptVoidError())

    def _commit(self, add: Callable[[WriteTransaction], None]) -> None:
        def attempt() -> None:
            tx = self.session.transaction()
            add(tx)
            tx.commit(self.session.deadline)

        self.session.retry_on_conflict(attempt)

    def _note_health(self, endpoint: StoredEndpoint, outcome: Outcome, at: datetime) -> None:
        """Note how an endpoint answered. It is disabled if it is gone, or has only failed for days."""
        if outcome.succeeded:
            if endpoint.failures:
                self._change(lambda stored: (stored.healthy(), []) if stored.failures else None)
        elif outcome.status == _GONE:
            self._change(lambda stored: self._disabled(stored, "It answered 410 Gone."))
        elif at - (endpoint.failing_since or at) >= DISABLED_AFTER:
            reason = f"All attempts failed for {DISABLED_AFTER.days} days."
            self._change(lambda stored: self._disabled(stored, reason) if stored.failing_since else None)
        else:
            self._change(lambda stored: (_failing(stored, at), []))

    def _disabled(self, stored: StoredEndpoint, reason: str) -> tuple[StoredEndpoint, list[DomainEvent]] | None:
        if stored.endpoint.status is EndpointStatus.DISABLED:
            return None
        changed = stored.endpoint.changed(self.session.at, status=EndpointStatus.DISABLED, disabled_reason=reason)
        event = DomainEvent("WebhookDisabled", changed.id, changed.version, {"reason": reason}, changed.updated_at)
        return replace(stored, endpoint=changed), [event]

    def _change(self, change: Change) -> None:
        """Change an endpoint, if it is still there."""

        def attempt() -> None:
            before = self._endpoint()
            changed = change(before) if before else None
            if before is None or changed is None:
                return
            after, events = changed
            tx = self.session.transaction()
            replace_endpoint(tx, self.session.tenant, before, after)
            self.session.commit_events(tx, *events)

        self.session.retry_on_conflict(attempt)


def _failing(stored: StoredEndpoint, at: datetime) -> StoredEndpoint:
    """Return an endpoint after a failure; after many in a row, it is left alone for a while."""
    failures = stored.failures + 1
    rest = rest_after(failures, chance())
    return replace(
        stored,
        failures=failures,
        failing_since=stored.failing_since or at,
        rests_until=at + rest if rest else None,
    )
