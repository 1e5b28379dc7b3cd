"""Caller of an API Gateway event, and the session that is opened for the caller.

This runs before Powertools resolves the route, because Powertools validates the input before it runs our middleware: a
caller without the permission must get 403, even if the input is invalid.
"""

import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel

from domain.common.environment import monotonic, now
from domain.common.errors import DomainError, Forbidden, Unauthorized
from domain.common.ids import is_tenant_id
from domain.identity.permissions import Caller, Role
from handlers.http.declaration import IAM, Declaration
from handlers.http.errors import IdempotencyKeyRequired, TooManyRequests
from handlers.http.request import ProxyEvent, digest, idempotency_key, json_object
from handlers.http.telemetry import Telemetry, logger
from repositories.aws.settings import settings
from repositories.aws.tenant_client import tenant_client
from repositories.dynamodb.idempotency import Command, StoredResponse
from repositories.dynamodb.session import Session
from repositories.dynamodb.table import Table
from repositories.dynamodb.tenant_usage import usage

NO_TENANT = "-"
"""Placeholder that is not a valid tenant id."""
_RESERVE_SECONDS = 1.0
"""Seconds of a function's remaining time that are reserved for the response."""
_TO_COUNT_SECONDS = 10.0
"""Seconds that counting a tenant's time takes at most: three attempts with time-outs of one and two seconds."""
_GROUPS = re.compile(r"[^\s,\[\]]+")
"""Name of a group. API Gateway formats the claim as `owner`, `a,b` or `[a b]`, depending on the type of API."""


def caller_of(event: ProxyEvent) -> Caller:
    """Return the caller that the authorizer verified. Raises Unauthorized, or Forbidden without tenant or role."""
    claims = (event["requestContext"].get("authorizer") or {}).get("claims")
    if not claims:
        raise Unauthorized
    tenant = claims.get("custom:tenant_id", "")
    groups = set(_GROUPS.findall(str(claims.get("cognito:groups", ""))))
    role = next((role for role in Role if role.value in groups), None)
    if role is None or not is_tenant_id(tenant):
        raise Forbidden("You do not belong to a tenant.")
    return Caller(tenant, claims["sub"], role)


def operator_of(event: ProxyEvent) -> Caller:
    """Return the IAM principal that calls an operator route, as an owner of the tenant in the path or the body.

    Without a tenant, or with an invalid id, it is an owner of `NO_TENANT`. Raises Unauthorized, or InvalidJson or
    ValidationFailed for the body.
    """
    arn = event["requestContext"]["identity"].get("userArn")
    if not arn:
        raise Unauthorized("Sign the request as an IAM principal (SigV4).")
    named = (event.get("pathParameters") or {}).get("tenant_id")
    if named is None and event["httpMethod"] == "POST":
        named = json_object(event.get("body")).get("id")
    tenant = named if isinstance(named, str) and is_tenant_id(named) else NO_TENANT
    return Caller(tenant, arn, Role.OWNER)


def require_within_limit(caller: Caller) -> None:
    """Raise TooManyRequests if the caller's tenant has used the function time that it may use now."""
    if settings().tenant_concurrency and usage.is_over(caller.tenant, now()):
        raise TooManyRequests


def count_usage(session: Session, telemetry: Telemetry) -> None:
    """Add the time of a request to what its tenant has used. A failure to do so is logged, and changes no response."""
    limit = settings().tenant_concurrency
    if not limit or monotonic() + _TO_COUNT_SECONDS > session.deadline:
        return
    try:
        usage.add(session.unchecked_table, session.tenant, telemetry.seconds, now(), limit)
    except Exception:  # noqa: BLE001 - what the request did is done and must be answered
        logger().exception("usage not counted")


def open_session(
    event: ProxyEvent,
    caller: Caller,
    table: Table,
    declared: Declaration,
    context: Any,
    respond: Callable[[BaseModel], StoredResponse],
) -> Session:
    """Return the session of a request. `respond` encodes the result of a command as the response to store.

    Raises IdempotencyKeyRequired, or ValidationFailed for a malformed Idempotency-Key.
    """
    issued_at = None
    if declared.permission != IAM:
        table = Table(tenant_client(caller.tenant), table.name, table.meter)
        issued_at = _issued_at(event) if declared.writes else None
    seconds = context.get_remaining_time_in_millis() / 1000 - _RESERVE_SECONDS
    session = Session(table, caller, now(), monotonic() + seconds, issued_at=issued_at)
    if declared.idempotency_key != "ignored":
        session.command = _required_command(event, session, declared, respond)
    return session


def _required_command(
    event: ProxyEvent, session: Session, declared: Declaration, respond: Callable[[BaseModel], StoredResponse]
) -> Command | None:
    try:
        command = _command(event, session.caller, respond)
        if declared.idempotency_key == "required" and not command:
            raise IdempotencyKeyRequired
    except DomainError:
        # A revoked token is refused first: reaching the table checks it.
        _ = session.table
        raise
    return command


def _issued_at(event: ProxyEvent) -> int:
    """Return the time at which the caller's token was issued, in seconds since the epoch; 0 without an `iat` claim.

    API Gateway formats the claim as a date; some of its versions pass the number in the token.
    """
    claim = str(event["requestContext"]["authorizer"]["claims"].get("iat", "0"))
    with suppress(ValueError):
        return int(float(claim))
    return int(datetime.strptime(claim, "%a %b %d %H:%M:%S %Z %Y").replace(tzinfo=UTC).timestamp())


def _command(event: ProxyEvent, caller: Caller, respond: Callable[[BaseModel], StoredResponse]) -> Command | None:
    """Return the command of a request, or None without an Idempotency-Key. Scope: caller, method, path and key."""
    key = idempotency_key(event)
    if key is None:
        return None
    scope = "\n".join((caller.subject, event["httpMethod"], event["path"], key))
    return Command(digest(scope), digest(event.get("body") or ""), respond)
