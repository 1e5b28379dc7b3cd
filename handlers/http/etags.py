"""Entity tags: versions of resources in conditional requests (RFC 9110, section 13)."""

import re

_TAG = re.compile(r'(W/)?"([^"]*)"')
"""Pattern of an entity tag, which may contain commas (RFC 9110, section 8.8.3)."""
_VERSION = re.compile(r"[1-9][0-9]{0,17}")
"""Pattern of a version. The length is limited because converting long digit strings is slow."""


def matches(if_none_match: str, etag: str) -> bool:
    """Return whether an If-None-Match header matches `etag`, by weak comparison (RFC 9110, section 13.1.2)."""
    return if_none_match.strip() == "*" or etag in (f'"{tag}"' for _, tag in _TAG.findall(if_none_match))


def versions_in(if_match: str) -> frozenset[int] | None:
    """Return the versions in an If-Match header, or None for `*`, which matches any version.

    Weak tags are left out, as the comparison is strong (RFC 9110, section 13.1.1).
    """
    if if_match.strip() == "*":
        return None
    return frozenset(int(tag) for weak, tag in _TAG.findall(if_match) if not weak and _VERSION.fullmatch(tag))
