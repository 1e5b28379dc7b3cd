"""Identifiers: a type prefix and a ULID, which sorts by creation time. Ids of tenants and users have other forms."""

import re
from contextlib import suppress
from datetime import datetime

from domain.common.environment import chance, now

_FORM = re.compile(r"[a-z]+_[0-7][0-9A-HJKMNP-TV-Z]{25}")
TENANT_ID = "[a-z0-9-]{3,40}"
"""Pattern of a tenant's id."""
USER_ID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
"""Pattern of a user's id: a UUID in lower case."""


def new_id(prefix: str) -> str:
    """Return a new identifier such as `item_01JD3Z…` (https://github.com/ulid/spec)."""
    return derived_id(prefix, now(), chance().randbytes(10))


def derived_id(prefix: str, moment: datetime, seed: bytes) -> str:
    """Return the identifier derived from `moment` and `seed` (at least 10 bytes). Same input, same identifier."""
    from ulid import ULID

    milliseconds = int(moment.timestamp() * 1000)
    return f"{prefix}_{ULID.from_bytes(milliseconds.to_bytes(6) + seed[:10])}"


def time_of(value: str) -> datetime | None:
    """Return the time at which an identifier was made, or None for one without a ULID."""
    if _FORM.fullmatch(value) is None:
        return None
    from ulid import ULID

    with suppress(ValueError, OverflowError):  # of a year that dates do not have
        return ULID.from_str(value.partition("_")[2]).datetime
    return None


def is_id(prefix: str, value: str) -> bool:
    """Return whether `value` has the form of an identifier with this prefix. Check this before using it in a key."""
    return value.startswith(f"{prefix}_") and _FORM.fullmatch(value) is not None


def is_tenant_id(value: str) -> bool:
    """Return whether `value` has the form of a tenant's id. Check this before using it in a key."""
    return re.fullmatch(TENANT_ID, value) is not None


def is_user_id(value: str) -> bool:
    """Return whether `value` has the form of a user's id. Check this before using it in a key."""
    return re.fullmatch(USER_ID, value) is not None
