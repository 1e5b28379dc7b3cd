"""One request at work on the table: whose it is, what it consumed, and how its effect is made final."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import BaseModel

from domain.common.commands import Command
from domain.common.environment import monotonic, sleep
from domain.common.errors import Contention, DomainError
from domain.common.events import Event
from domain.common.ids import new_id
from domain.common.model import to_rfc3339
from domain.identity.permissions import Caller
from repositories.aws.backoff import pause_before
from repositories.dynamodb import idempotency, keys
from repositories.dynamodb.codec import Row, new_row
from repositories.dynamodb.keys import Key
from repositories.dynamodb.table import Table
from repositories.dynamodb.token_revocation import check_token, require_not_revoked
from repositories.dynamodb.transaction import ATTEMPTS, Stale, Transaction

EVENT_LIFETIME = timedelta(days=30)
LEASE = timedelta(seconds=60)
"""How long a command of several transactions counts as running: longer than any function may run."""


@dataclass(frozen=True, slots=True)
class Session:
    """The table as one caller may use it for one request.

    `at` is the request's time, `deadline` (monotonic) when it must have an answer, `command` is set
    where the client sent an Idempotency-Key.
    """

    table: Table
    caller: Caller
    at: datetime
    deadline: float
    command: Command | None = None
    issued_at: int | None = None
    """When the caller's token was issued, in seconds since the epoch; None where there is no token."""
    token_checked: bool = True
    """Whether it is known that the token is not void; if not, `read` finds out."""

    @property
    def tenant(self) -> str:
        """The caller's tenant, as its token says: the only one this session can reach."""
        return self.caller.tenant

    def read(self, wanted: Iterable[Key]) -> dict[Key, Row]:
        """Return the rows that there are at these keys, consistent, in one request for up to 99 of them.

        Along with them it asks whether the caller's token is void, if nobody has. Raises Unauthorized.
        """
        if self.issued_at is None or self.token_checked:
            return self.table.batch_get(wanted)
        revocation = keys.revocation(self.tenant, self.caller.subject)
        rows = self.table.batch_get([*wanted, revocation])
        require_not_revoked(rows.pop(revocation, None), self.issued_at)
        return rows

    def check_token(self, tx: Transaction) -> None:
        """Add a check to `tx` that fails it with Unauthorized if the caller's token has been revoked."""
        if self.issued_at is not None:
            check_token(tx, self.caller, self.issued_at)

    def transaction(self) -> Transaction:
        """Return an empty transaction."""
        return Transaction(self.table)

    def commit(self, tx: Transaction, result: BaseModel, *events: Event) -> None:
        """Carry out `tx` with its events and, for a command, the answer that `result` makes.

        Raises Replayed if the command was carried out before, and what the steps refuse.
        """
        if self.command:
            tx.steps[:0] = self._remembering(self.command, result).steps
        self.commit_events(tx, *events)

    def commit_answer(self, result: BaseModel) -> None:
        """Keep the answer of a command that had nothing to do; raises Replayed if it was carried out before."""
        if self.command:
            self.commit(self.transaction(), result)

    def commit_events(self, tx: Transaction, *events: Event) -> None:
        """Carry out `tx` with its events, as one part of a command that begins and finishes by itself."""
        for event in events:
            tx.write_along(f"tell {event.kind}", self._event_row(event))
        tx.commit(self.deadline)

    def decide_again[T](self, attempt: Callable[[], T]) -> T:
        """Return what `attempt` returns; it reads and decides again each time it raises Stale."""
        for number in range(ATTEMPTS):
            try:
                return attempt()
            except Stale:
                wait = pause_before(number)
                if monotonic() + wait >= self.deadline:
                    break
                sleep(wait)
        raise Contention

    def remember(self, refusal: DomainError) -> None:
        """Keep a refusal as the command's answer; raises Replayed if it has one by now."""
        if self.command:
            answer = self.command.refusal(refusal)
            standing = self._try_record(idempotency.finished(self.tenant, self.command, answer, self.at))
            if standing:
                raise idempotency.outcome(standing, self.command)

    def replay(self) -> None:
        """Raise Replayed if the command has its answer, or what else its record says; nothing if there is none.

        For commands that do something outside the table before their transaction would find out.
        """
        if self.command:
            record = self.table.get(keys.idempotency(self.tenant, self.command.scope))
            if record and record["kept_until"] >= self.at.timestamp():
                raise idempotency.outcome(record, self.command)

    def begin(self) -> datetime:
        """Mark a command of several transactions as running and return when it first began.

        One whose function died is taken over after its lease. Raises IdempotencyInProgress before that, and
        Replayed if the command has finished.
        """
        if not self.command:
            return self.at
        standing = self._try_record(self._running(self.command, self.at, self.at + LEASE))
        if standing is None:
            return self.at
        result = idempotency.outcome(standing, self.command)
        if not idempotency.is_running(standing) or standing["lease_until"] > self.at.isoformat():
            raise result
        started = datetime.fromisoformat(standing["started_at"])
        taken = self._running(self.command, started, self.at + LEASE)
        if self.table.put(taken, "lease_until = :seen", {":seen": standing["lease_until"]}):
            raise result
        return started

    def finish(self, result: BaseModel) -> None:
        """Keep the answer of a command that `begin` marked as running."""
        if self.command:
            answer = self.command.answer(result)
            self._end_lease(self.command, idempotency.finished(self.tenant, self.command, answer, self.at))

    def release(self, started: datetime) -> None:
        """Let a command that `begin` marked be tried again at once, as it could not do all that it should."""
        if self.command:
            self._end_lease(self.command, self._running(self.command, started, self.at))

    def _running(self, command: Command, started: datetime, lease_until: datetime) -> Row:
        return idempotency.running(self.tenant, command, started, lease_until)

    def _end_lease(self, command: Command, row: Row) -> None:
        standing = self.table.put(row, "lease_until = :mine", {":mine": (self.at + LEASE).isoformat()})
        if standing:
            raise idempotency.outcome(standing, command)

    def _remembering(self, command: Command, result: BaseModel) -> Transaction:
        tx = self.transaction()
        row = idempotency.finished(self.tenant, command, command.answer(result), self.at)
        tx.put(
            "remember the answer",
            row,
            condition=idempotency.FREE,
            refusal=lambda standing: idempotency.outcome(standing or {}, command),
            now=int(self.at.timestamp()),
        )
        return tx

    def _try_record(self, row: Row) -> Row | None:
        return self.table.put(row, idempotency.FREE, {":now": int(self.at.timestamp())})

    def _event_row(self, event: Event) -> Row:
        event_id = new_id("event")
        return new_row(
            keys.event(self.tenant, self.at, event_id),
            "event",
            id=event_id,
            kind=event.kind,
            subject=event.subject,
            sequence=event.sequence,
            data=event.data,
            by=self.caller.subject,
            at=to_rfc3339(self.at),
            ttl=int((self.at + EVENT_LIFETIME).timestamp()),
        )
