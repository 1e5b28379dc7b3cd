"""Body, headers and idempotency key of an API Gateway event."""

import base64
import hashlib
import re
from typing import Any

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent
from pydantic_core import from_json

from domain.common.errors import Flaw, ValidationFailed
from domain.common.validation import invalid_input, pointer
from handlers.http.errors import InvalidJson, PayloadTooLarge, UnsupportedMediaType
from handlers.http.responses import JSON

MAX_BODY_BYTES = 256 * 1024
MERGE_PATCH = "application/merge-patch+json"

type ProxyEvent = dict[str, Any]
"""Event of API Gateway's Lambda proxy integration (API Gateway developer guide, "Input format")."""

_KEY = re.compile(r"[!-~]{1,255}")


def header(event: ProxyEvent, name: str) -> str | None:
    """Return a header's value, or None. Names are case-insensitive."""
    return APIGatewayProxyEvent(event).headers.get(name)


def with_json_body(event: ProxyEvent) -> ProxyEvent:
    """Return the event with a decoded body and Content-Type application/json, the only type that Powertools parses.

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


def _text(event: ProxyEvent) -> str | None:
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
    """Return a body as a JSON object. Raises InvalidJson, or ValidationFailed if it is missing or not an object."""
    if not text:
        raise _not_an_object("MISSING", "Send a JSON object.")
    try:
        value = from_json(text, allow_inf_nan=False)
    except ValueError as bad:
        raise InvalidJson(str(bad)) from None
    if not isinstance(value, dict):
        raise _not_an_object("OBJECT_TYPE", "The body must be a JSON object.")
    return value


def require_known_query(event: ProxyEvent, known: set[str]) -> None:
    """Raise ValidationFailed for unknown query parameters, as a misspelt filter would show everything."""
    unknown = sorted(set(event.get("queryStringParameters") or {}) - known)
    if unknown:
        raise invalid_input(
            Flaw(pointer(["query", name]), "EXTRA_FORBIDDEN", "There is no such query parameter") for name in unknown
        )


def require_no_body(event: ProxyEvent) -> None:
    """Raise ValidationFailed or InvalidJson unless the body is missing or an empty object."""
    body = event.get("body")
    if body:
        unknown = json_object(body)
        if unknown:
            raise invalid_input(
                Flaw(pointer([name]), "EXTRA_FORBIDDEN", "This route takes no body") for name in unknown
            )


def _not_an_object(code: str, detail: str) -> ValidationFailed:
    return invalid_input([Flaw("", code, detail)])


def idempotency_key(event: ProxyEvent) -> str | None:
    """Return the Idempotency-Key header, or None. Raises ValidationFailed if it is malformed."""
    key = header(event, "idempotency-key")
    if key is not None and not _KEY.fullmatch(key):
        where = Flaw("/header/Idempotency-Key", "STRING_PATTERN_MISMATCH", "1 to 255 visible ASCII characters")
        raise invalid_input([where])
    return key


def digest(text: str) -> str:
    """Return the SHA-256 digest of `text` in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()
