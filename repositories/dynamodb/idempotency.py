"""The record of a command: written with its effect, so that one cannot be without the other."""

import json
import zlib
from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel

from domain.common.commands import Answer, Command, Replayed
from domain.common.environment import unique
from domain.common.errors import IdempotencyInProgress, IdempotencyKeyReused
from domain.common.model import json_of
from repositories.dynamodb import keys
from repositories.dynamodb.codec import Row, new_row
from repositories.dynamodb.keys import Key
from repositories.dynamodb.transaction import Stale, Transaction

LIFETIME = timedelta(hours=25)
"""Clients may count on 24 hours; an hour more covers clocks that differ."""

_CREATED = 201

FREE = "attribute_not_exists(pk) OR kept_until < :now"
"""Holds where no record stands, or an expired one that TTL has not removed yet. Needs `:now`."""


def finished(tenant: str, command: Command, answer: Answer, at: datetime) -> Row:
    """Return the record of a command that was answered. The body is compressed: writes cost by the KB."""
    return _record(
        tenant,
        command,
        at,
        status=answer.status,
        headers=answer.headers,
        body=zlib.compress(answer.body.encode()),
    )


def running(tenant: str, command: Command, started: datetime, lease_until: datetime) -> Row:
    """Return the record of a command that takes several transactions and has not finished."""
    return _record(
        tenant,
        command,
        started,
        started_at=started.isoformat(),
        lease_until=lease_until.isoformat(),
        attempt=unique().hex,
    )


def _record(tenant: str, command: Command, at: datetime, **attributes: Any) -> Row:
    until = int((at + LIFETIME).timestamp())
    return new_row(
        keys.idempotency(tenant, command.scope),
        "idempotency",
        fingerprint=command.fingerprint,
        kept_until=until,
        ttl=until,
        **attributes,
    )


def shows(record: Row, created_id: str) -> bool:
    """Tell whether the command of a record answered by showing something that it had created."""
    return record.get("status") == _CREATED and json.loads(zlib.decompress(record["body"])).get("id") == created_id


def overwrite(tx: Transaction, key: Key, record: Row, shown: BaseModel) -> None:
    """Add the step that lets a finished command answer with `shown` from now on, its first answer being erased."""
    tx.update(
        "erase the answer",
        key,
        "SET body = :body, headers.ETag = :etag",
        condition="kept_until = :seen",
        refusal=Stale.because,
        body=zlib.compress(shown.model_dump_json().encode()),
        etag=f'"{json_of(shown)["version"]}"',
        seen=record["kept_until"],
    )


def is_running(record: Row) -> bool:
    """Tell whether the command of a record has not finished."""
    return "status" not in record


def outcome(record: Row, command: Command) -> Exception:
    """Return what a command that meets this record raises: the first answer, or why there is none."""
    if record["fingerprint"] != command.fingerprint:
        return IdempotencyKeyReused()
    if is_running(record):
        return IdempotencyInProgress()
    return Replayed(Answer(record["status"], record["headers"], zlib.decompress(record["body"]).decode()))
