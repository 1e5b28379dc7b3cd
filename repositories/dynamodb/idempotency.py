"""Idempotency records, written in the transaction of their command, so that neither exists without the other.

A command with several transactions first marks its record as running, with a lease. If its function dies, a retry takes
the record over after the lease has ended.
"""

import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel

from domain.common.environment import unique
from domain.common.errors import IdempotencyInProgress, IdempotencyKeyReused
from domain.common.model import json_of
from repositories.dynamodb import keys
from repositories.dynamodb.codec import Row, new_row
from repositories.dynamodb.keys import Key
from repositories.dynamodb.table import Table
from repositories.dynamodb.transaction import Stale, WriteTransaction

LIFETIME = timedelta(hours=25)
"""Lifetime of a record: the 24 hours that clients may rely on, and an hour for clock differences."""
LEASE = timedelta(seconds=60)
"""Lease of a running command: longer than the timeout of any function."""

_CREATED = 201
_FREE = "attribute_not_exists(pk) OR kept_until < :now"
"""Condition: there is no record, or an expired one that TTL has not deleted yet. Needs `:now`."""


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """A response as it is sent and stored: status, its own headers, and body."""

    status: int
    headers: dict[str, str]
    body: str


@dataclass(slots=True)
class Command:
    """A request with an Idempotency-Key.

    `scope` is a digest of caller, method, path and key; `fingerprint` is a digest of the body. `respond` encodes a
    result as the response to store; `response` is set to the response once it is stored.
    """

    scope: str
    fingerprint: str
    respond: Callable[[BaseModel], StoredResponse]
    response: StoredResponse | None = None


class Replayed(Exception):
    """The command was completed before; `response` is its stored response."""

    def __init__(self, response: StoredResponse) -> None:
        super().__init__()
        self.response = response


@dataclass(frozen=True, slots=True)
class IdempotencyRecord:
    """The idempotency record of one command. Without a command, its methods do nothing."""

    table: Table
    tenant: str
    at: datetime
    """Time of the request."""
    command: Command | None

    def add_to(self, tx: WriteTransaction, result: BaseModel) -> StoredResponse | None:
        """Add the step that stores the response to `result`, before the other steps of `tx`.

        The step raises Replayed, IdempotencyKeyReused or IdempotencyInProgress if there is a record.
        """
        command = self.command
        if not command:
            return None
        response = command.respond(result)
        tx.create_first(
            "store the response",
            self._finished(command, response),
            condition=_FREE,
            raises=lambda standing: _outcome(standing or {}, command),
            now=self._now,
        )
        return response

    def store(self, response: StoredResponse) -> None:
        """Store the response to a refused command.

        Raises Replayed, IdempotencyKeyReused or IdempotencyInProgress if there is a record.
        """
        if self.command:
            standing = self._put_if_free(self._finished(self.command, response))
            if standing:
                raise _outcome(standing, self.command)

    def keep(self, result: BaseModel) -> None:
        """Store the response to a command that is done, and whose outcome was open. Raises as `store`."""
        if self.command:
            self.command.response = self.command.respond(result)
            self.store(self.command.response)

    def replay(self) -> None:
        """Raise Replayed, IdempotencyKeyReused or IdempotencyInProgress if there is a record that has not expired.

        For commands with effects outside the table, which precede the transaction that would find the record.
        """
        if self.command:
            record = self.table.get(keys.idempotency(self.tenant, self.command.scope))
            if record and record["kept_until"] >= self.at.timestamp():
                raise _outcome(record, self.command)

    def begin(self) -> datetime:
        """Mark the command as running and return the time at which its first attempt began.

        Raises IdempotencyInProgress (or IdempotencyKeyReused for another body) while the lease of an earlier attempt
        lasts, and Replayed (or IdempotencyKeyReused) if one has finished.
        """
        if not self.command:
            return self.at
        standing = self._put_if_free(self._running(self.command, self.at, self.at + LEASE))
        if standing is None:
            return self.at
        outcome = _outcome(standing, self.command)
        if not isinstance(outcome, IdempotencyInProgress) or standing["lease_until"] > self.at.isoformat():
            raise outcome
        started = datetime.fromisoformat(standing["started_at"])
        taken_over = self._running(self.command, started, self.at + LEASE)
        if self.table.put(taken_over, "lease_until = :seen", {":seen": standing["lease_until"]}):
            raise outcome
        return started

    def finish(self, result: BaseModel) -> None:
        """Store the response to a command that `begin` marked as running.

        Raises IdempotencyInProgress or Replayed if another attempt has taken it over.
        """
        if self.command:
            response = self.command.respond(result)
            self._end_lease(self.command, self._finished(self.command, response))
            self.command.response = response

    def release(self, started: datetime) -> None:
        """End the lease of a command that `begin` marked as running, so that it can be retried at once.

        Raises IdempotencyInProgress or Replayed if another attempt has taken it over.
        """
        if self.command:
            self._end_lease(self.command, self._running(self.command, started, self.at))

    @property
    def _now(self) -> int:
        return int(self.at.timestamp())

    def _put_if_free(self, row: Row) -> Row | None:
        return self.table.put(row, _FREE, {":now": self._now})

    def _end_lease(self, command: Command, row: Row) -> None:
        standing = self.table.put(row, "lease_until = :mine", {":mine": (self.at + LEASE).isoformat()})
        if standing:
            raise _outcome(standing, command)

    def _finished(self, command: Command, response: StoredResponse) -> Row:
        """Return the row of a completed command. The body is compressed, as writes are charged by size."""
        body = zlib.compress(response.body.encode())
        return self._row(command, self.at, status=response.status, headers=response.headers, body=body)

    def _running(self, command: Command, started: datetime, lease_until: datetime) -> Row:
        return self._row(
            command,
            started,
            started_at=started.isoformat(),
            lease_until=lease_until.isoformat(),
            attempt=unique().hex,
        )

    def _row(self, command: Command, at: datetime, **attributes: Any) -> Row:
        until = int((at + LIFETIME).timestamp())
        return new_row(
            keys.idempotency(self.tenant, command.scope),
            "idempotency",
            fingerprint=command.fingerprint,
            kept_until=until,
            ttl=until,
            **attributes,
        )


def created(record: Row, created_id: str) -> bool:
    """Return whether the recorded command created the resource with this id, so that its response shows it."""
    return record.get("status") == _CREATED and json.loads(zlib.decompress(record["body"])).get("id") == created_id


def replace_body(tx: WriteTransaction, key: Key, record: Row, shown: BaseModel) -> None:
    """Add the step that replaces the body of a stored response with `shown`, to erase the original. Raises Stale."""
    tx.update(
        "erase the response",
        key,
        "SET body = :body, headers.ETag = :etag",
        condition="kept_until = :seen",
        raises=Stale(),
        body=zlib.compress(shown.model_dump_json().encode()),
        etag=f'"{json_of(shown)["version"]}"',
        seen=record["kept_until"],
    )


def _outcome(record: Row, command: Command) -> Exception:
    """Return the error to raise for a command that finds this record."""
    if record["fingerprint"] != command.fingerprint:
        return IdempotencyKeyReused()
    if "status" not in record:
        return IdempotencyInProgress()
    return Replayed(StoredResponse(record["status"], record["headers"], zlib.decompress(record["body"]).decode()))
