"""Results as answers: status, headers and body."""

from typing import Any

from pydantic_core import to_json as _to_json_bytes

from domain.commands import Answer

JSON = "application/json"
_LONGEST_VERSION = 18
"""Digits. No counter of ours gets there, and larger texts cost to read."""


def to_json(shown: Any) -> str:
    """Return a JSON value as compact text."""
    return _to_json_bytes(shown).decode()


def success(status: int, path: str, shown: dict[str, Any] | None) -> Answer:
    """Return the answer that shows `shown`: with the ETag of its version, and where it is if it was created."""
    if shown is None:
        return Answer(status, {}, "")
    headers = {"Content-Type": JSON}
    if isinstance(shown.get("version"), int):
        headers["ETag"] = f'"{shown["version"]}"'
    if status == 201:
        headers["Location"] = f"{path}/{shown['id']}"
    return Answer(status, headers, to_json(shown))


def not_modified(etag: str) -> Answer:
    """Return the answer to a reader who has this version already (RFC 9110, section 15.4.5)."""
    return Answer(304, {"ETag": etag}, "")


def matches(if_none_match: str, etag: str) -> bool:
    """Tell whether an If-None-Match header names `etag`, compared weakly (RFC 9110, section 13.1.2)."""
    named = (each.strip().removeprefix("W/") for each in if_none_match.split(","))
    return if_none_match.strip() == "*" or etag in named


def versions_in(if_match: str) -> frozenset[int] | None:
    """Return the versions that an If-Match header names, or None for `*`, which any version matches.

    Weak tags and tags that Tradepost never made match nothing (RFC 9110, section 13.1.1).
    """
    if if_match.strip() == "*":
        return None
    tags = (each.strip().strip('"') for each in if_match.split(","))
    return frozenset(int(tag) for tag in tags if tag.isdecimal() and len(tag) <= _LONGEST_VERSION)
