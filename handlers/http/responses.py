"""Results as answers: status, headers and body."""

import re
from typing import Any

from pydantic_core import to_json as _to_json_bytes

from domain.common.commands import Answer

JSON = "application/json"
_TAG = re.compile(r'(W/)?"([^"]*)"')
"""An entity tag: a comma inside it does not end it (RFC 9110, section 8.8.3)."""
_VERSION = re.compile(r"[1-9][0-9]{0,17}")
"""A version as ETags spell it. No counter of ours has more digits, and larger texts cost to read."""


def to_json(shown: Any) -> str:
    """Return a JSON value as compact text."""
    return _to_json_bytes(shown).decode()


def success(status: int, location: str, shown: dict[str, Any] | None) -> Answer:
    """Return the answer that shows `shown`, with the ETag of its version.

    `location` is the address of what was created, with the names of its fields in braces: `/v1/items/{id}`.
    """
    if shown is None:
        return Answer(status, {}, "")
    headers = {"Content-Type": JSON}
    if isinstance(shown.get("version"), int):
        headers["ETag"] = f'"{shown["version"]}"'
    if status == 201:
        headers["Location"] = location.format_map(shown)
    return Answer(status, headers, to_json(shown))


def not_modified(etag: str) -> Answer:
    """Return the answer to a reader who has this version already (RFC 9110, section 15.4.5)."""
    return Answer(304, {"ETag": etag}, "")


def matches(if_none_match: str, etag: str) -> bool:
    """Tell whether an If-None-Match header names `etag`, compared weakly (RFC 9110, section 13.1.2)."""
    return if_none_match.strip() == "*" or etag in (f'"{tag}"' for _, tag in _TAG.findall(if_none_match))


def versions_in(if_match: str) -> frozenset[int] | None:
    """Return the versions that an If-Match header names, or None for `*`, which any version matches.

    Weak tags and tags that Tradepost never made match nothing (RFC 9110, section 13.1.1).
    """
    if if_match.strip() == "*":
        return None
    return frozenset(int(tag) for weak, tag in _TAG.findall(if_match) if not weak and _VERSION.fullmatch(tag))
