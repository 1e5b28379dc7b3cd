"""What an API Gateway event says: who calls, with which body, and under which idempotency key."""

import base64
import hashlib
import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel
from pydantic_core import from_json

from domain.common.commands import Answer, Command
from domain.common.errors import (
    DomainError,
    Flaw,
    Forbidden,
    InvalidJson,
    PayloadTooLarge,
    Unauthorized,
    UnsupportedMediaType,
    ValidationFailed,
)
from domain.common.validation import invalid_input, pointer
from domain.identity.permissions import Caller, Role
from handlers.http.responses import JSON

MAX_BODY_BYTES = 256 * 1024
MERGE_PATCH = "application/merge-patch+json"

type Event = dict[str, Any]
"""An API Gateway REST proxy event."""

NO_TENANT = "-"
"""No tenant has this name."""

_TENANT = re.compile(r"[a-z0-9-]{3,40}")
_KEY = re.compile(r"[!-~]{1,255}")
_GROUPS = re.compile(r"[^\s,\[\]]+")
"""Names of groups, as API Gateway writes the claim: `owner`, `a,b` or `[a b]`, by the kind of API."""


def caller_of(event: Event) -> Caller:
    """Return who calls, as the authorizer verified. Raises Unauthorized, or Forbidden for a stranger."""
    claims = (event["requestContext"].get("authorizer") or {}).get("claims")
    if not claims:
        raise Unauthorized
    tenant = claims.get("custom:tenant_id", "")
    groups = set(_GROUPS.findall(str(claims.get("cognito:groups", ""))))
    role = next((role for role in Role if role.value in groups), None)
    if role is None or not _TENANT.fullmatch(tenant):
        raise Forbidden("You do not belong to a tenant.")
    return Caller(tenant, claims["sub"], role)


def operator_of(event: Event) -> Caller:
    """Return the operator who calls a route that API Gateway opens to IAM principals only.

    An operator acts as an owner of the tenant that the request names; one whose name cannot be is nobody's.
    """
    arn = event["requestContext"]["identity"].get("userArn")
    if not arn:
        raise Unauthorized
    named = (event.get("pathParameters") or {}).get("tenant_id")
    if named is None:
        named = json_object(event.get("body")).get("id")
    tenant = named if isinstance(named, str) and _TENANT.fullmatch(named) else NO_TENANT
    return Caller(tenant, arn, Role.OWNER)


def issued_at(event: Event) -> int:
    """Return when the caller's token was issued, in seconds since the epoch; 0 if it does not say.

    API Gateway writes the claim as a date, other gateways as the number that it is in the token.
    """
    claim = str(event["requestContext"]["authorizer"]["claims"].get("iat", "0"))
    with suppress(ValueError):
        return int(float(claim))
    return int(datetime.strptime(claim, "%a %b %d %H:%M:%S %Z %Y").replace(tzinfo=UTC).timestamp())


def header(event: Event, name: str) -> str | None:
    """Return a header's value; names are compared without case."""
    wanted = name.lower()
    for each, value in (event.get("headers") or {}).items():
        if each.lower() == wanted:
            return str(value)
    return None


def with_json_body(event: Event) -> Event:
    """Return the event with its body as text and called JSON, which is all that Powertools reads.

    Raises PayloadTooLarge, UnsupportedMediaType and InvalidJson.
    """
    body = _text(event)
    if not body:
        return event
    accepted = {JSON, MERGE_PATCH} if event["httpMethod"] == "PATCH" else {JSON}
    media_type = (header(event, "content-type") or JSON).partition(";")[0].strip().lower()
    if media_type not in accepted:
        raise UnsupportedMediaType(f"Send {' or '.join(sorted(accepted))}.")
    others = {name: value for name, value in event["headers"].items() if name.lower() != "content-type"}
    return event | {"body": body, "isBase64Encoded": False, "headers": others | {"Content-Type": JSON}}


def _text(event: Event) -> str | None:
    body: str | None = event.get("body")
    if not body:
        return None
    try:
        raw = base64.b64decode(body, validate=True) if event.get("isBase64Encoded") else body.encode()
        if len(raw) > MAX_BODY_BYTES:
            raise PayloadTooLarge(f"A body may have {MAX_BODY_BYTES // 1024} KB at most.")
        return raw.decode()
    except ValueError:
        raise InvalidJson("The body is not text in UTF-8.") from None


def json_object(text: str | None) -> dict[str, Any]:
    """Return a body as a JSON object. Raises InvalidJson, or ValidationFailed for anything but an object."""
    if not text:
        raise _not_an_object("MISSING", "Send a JSON object.")
    try:
        value = from_json(text, allow_inf_nan=False)
    except ValueError as bad:
        raise InvalidJson(str(bad)) from None
    if not isinstance(value, dict):
        raise _not_an_object("OBJECT_TYPE", "The body must be a JSON object.")
    return value


def require_no_body(event: Event) -> None:
    """Raise ValidationFailed, or InvalidJson, unless a request has no body, or an empty object for one."""
    body = event.get("body")
    if body:
        unknown = json_object(body)
        if unknown:
            raise invalid_input(
                Flaw(pointer([name]), "EXTRA_FORBIDDEN", "This route takes no body") for name in unknown
            )


def _not_an_object(code: str, detail: str) -> ValidationFailed:
    return invalid_input([Flaw("", code, detail)])


def command_of(
    event: Event,
    caller: Caller,
    answer: Callable[[BaseModel], Answer],
    refusal: Callable[[DomainError], Answer],
) -> Command | None:
    """Return the command that an Idempotency-Key makes of a request, or None without one.

    Its scope is the caller, the method, the path and the key.
    """
    key = header(event, "idempotency-key")
    if key is None:
        return None
    if not _KEY.fullmatch(key):
        where = Flaw("/header/Idempotency-Key", "STRING_PATTERN_MISMATCH", "1 to 255 visible ASCII characters")
        raise invalid_input([where])
    scope = "\n".join((caller.subject, event["httpMethod"], event["path"], key))
    return Command(_digest(scope), _digest(event.get("body") or ""), answer, refusal)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
