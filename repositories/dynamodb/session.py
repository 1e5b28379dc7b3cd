"""Access to the table for one request: caller, deadline, token check, idempotency record and events."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import wraps
from typing import Concatenate, Protocol

from pydantic import BaseModel

from domain.common.environment import monotonic, sleep
from domain.common.errors import Contention
from domain.common.events import LIFETIME, DomainEvent
from domain.common.ids import new_id
from domain.common.model import to_rfc3339
from domain.identity.permissions import Caller
from repositories.aws.backoff import backoff_seconds
from repositories.dynamodb import keys, token_revocation
from repositories.dynamodb.codec import Row, new_row
from repositories.dynamodb.idempotency import Command, IdempotencyRecord
from repositories.dynamodb.keys import Key
from repositories.dynamodb.table import Table
from repositories.dynamodb.transaction import ATTEMPTS, Stale, WriteTransaction, require_absent


@dataclass(slots=True)
class Session:
    """The table, restricted to one caller and one request.

    If `issued_at` is set, the first access to the table checks that the caller's token has not been revoked.
    """

    unchecked_table: Table
    caller: Caller
    at: datetime
    """Time of the request."""
    deadline: float
    """Time by which the request must be answered, in seconds of the monotonic clock."""
    command: Command | None = None
    """Set if the client sent an Idempotency-Key."""
    issued_at: int | None = None
    """Time at which the caller's token was issued, in seconds since the epoch; None if it is not to be checked."""
    outcome_open: bool = False
    """Set by repositories if what was asked for is begun and not decided yet (202)."""
    _token_checked: bool = field(default=False)

    @property
    def tenant(self) -> str:
        """The caller's tenant, the only one that this session can access."""
        return self.caller.tenant

    @property
    def table(self) -> Table:
        """The table. The first access checks that the caller's token has not been revoked. Raises Unauthorized."""
        if self.issued_at is not None and not self._token_checked:
            token_revocation.require_valid(self.unchecked_table, self.caller, self.issued_at)
        self._token_checked = True
        return self.unchecked_table

    @property
    def record(self) -> IdempotencyRecord:
        """The idempotency record of the request."""
        return IdempotencyRecord(self.table, self.tenant, self.at, self.command)

    def read(self, wanted: Iterable[Key]) -> dict[Key, Row]:
        """Return the rows at up to 99 keys from one consistent BatchGetItem; keys without a row are omitted.

        The same request checks the caller's token, if that has not been checked yet. Raises Unauthorized.
        """
        if self.issued_at is None or self._token_checked:
            return self.table.batch_get(wanted)
        revocation = keys.revocation(self.tenant, self.caller.subject)
        rows = self.unchecked_table.batch_get([*wanted, revocation])
        token_revocation.require_not_revoked(rows.pop(revocation, None), self.issued_at)
        self._token_checked = True
        return rows

    def find(self, key: Key) -> Row | None:
        """Return the row at `key`, or None if there is none. Raises Stale if it is being written."""
        row = self.table.get(key)
        if row is None:
            require_absent(self.table, [key])
        return row

    def check_token(self, tx: WriteTransaction) -> None:
        """Add a step to `tx` that raises Unauthorized if the caller's token has been revoked."""
        if self.issued_at is not None:
            token_revocation.check_token(tx, self.caller, self.issued_at)

    def transaction(self) -> WriteTransaction:
        """Return an empty WriteTransaction."""
        return WriteTransaction(self.table)

    def commit(self, tx: WriteTransaction, result: BaseModel, *events: DomainEvent) -> None:
        """Commit `tx` with its events and, for a command, the response to `result`.

        Raises Replayed, IdempotencyKeyReused, IdempotencyInProgress, Contention, Unavailable, and the steps' errors.
        """
        response = self.record.add_to(tx, result)
        self.commit_events(tx, *events)
        if self.command:
            self.command.response = response

    def commit_events(self, tx: WriteTransaction, *events: DomainEvent) -> None:
        """Commit `tx` with its events, as one of several transactions of a command."""
        at = self._time_of(events)
        later = [event for event in tx.events if event.at and event.at > at]
        now_due = [*events, *(event for event in tx.events if event not in later)]
        if now_due:
            tx.put("add the events", self._events_row(at, now_due))
        if later:
            tx.put("add later events", self._events_row(self._time_of(later), later))
        tx.commit(self.deadline)

    def within(self, seconds: float) -> "Session":
        """Return this session with a deadline at most `seconds` from now."""
        return replace(self, deadline=min(self.deadline, monotonic() + seconds))

    def retry_on_conflict[T](self, attempt: Callable[[], T]) -> T:
        """Return the result of `attempt`, retried when it raises Stale. Raises Contention after the last retry."""
        for number in range(ATTEMPTS):
            try:
                return attempt()
            except Stale:
                wait = backoff_seconds(number)
                if monotonic() + wait >= self.deadline:
                    break
                sleep(wait)
        raise Contention

    def _time_of(self, events: Sequence[DomainEvent]) -> datetime:
        """Return the time of events, which is not before the last event of any of their subjects."""
        return max([self.at, *(event.at for event in events if event.at)])

    def _events_row(self, at: datetime, events: Sequence[DomainEvent]) -> Row:
        """Return the row of events at a time: one row costs less than one for each."""
        ids = [new_id("event") for _ in events]
        return new_row(
            keys.event(self.tenant, at, ids[0]),
            "event",
            events=[
                {
                    "id": event_id,
                    "kind": event.kind,
                    "subject": event.subject,
                    "sequence": event.sequence,
                    "data": event.data,
                }
                for event_id, event in zip(ids, events, strict=True)
            ],
            by=self.caller.subject,
            at=to_rfc3339(at),
            ttl=int((at + LIFETIME).timestamp()),
        )


class HasSession(Protocol):
    """A repository with a session."""

    @property
    def session(self) -> Session:
        """The session of the request."""


def retry_on_conflict[R: HasSession, **P, T](
    method: Callable[Concatenate[R, P], T],
) -> Callable[Concatenate[R, P], T]:
    """Decorate a repository method so that it is retried when it raises Stale, and finally raises Contention."""

    @wraps(method)
    def retried(repository: R, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return repository.session.retry_on_conflict(lambda: method(repository, *args, **kwargs))

    return retried
