"""Responses to successful requests: status, headers and body."""

from typing import Any

from pydantic_core import to_json as _to_json_bytes

from repositories.dynamodb.idempotency import StoredResponse

JSON = "application/json"
_CREATED = frozenset({201, 202})
"""Statuses with the URL of what was created, or begun."""


def to_json(shown: Any) -> str:
    """Return a JSON value as compact text."""
    return _to_json_bytes(shown).decode()


def success(status: int, location: str, shown: dict[str, Any] | None) -> StoredResponse:
    """Return the response for a resource, with an ETag if it has a version; without a resource, an empty body.

    `location` is the URL template of a created resource, with field names in braces: `/v1/items/{id}`; empty if there
    is none.
    """
    if shown is None:
        return StoredResponse(status, {}, "")
    headers = {"Content-Type": JSON}
    if isinstance(shown.get("version"), int):
        headers["ETag"] = f'"{shown["version"]}"'
    if location and status in _CREATED:
        headers["Location"] = location.format_map(shown)
    return StoredResponse(status, headers, to_json(shown))


def not_modified(etag: str) -> StoredResponse:
    """Return the 304 response to a client that already has this version (RFC 9110, section 15.4.5)."""
    return StoredResponse(304, {"ETag": etag}, "")


def to_proxy(response: StoredResponse) -> dict[str, Any]:
    """Return a response in the format of API Gateway's proxy integration."""
    return {
        "statusCode": response.status,
        "body": response.body,
        "isBase64Encoded": False,
        "multiValueHeaders": {name: [value] for name, value in response.headers.items()},
    }
