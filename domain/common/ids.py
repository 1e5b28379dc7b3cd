"""Identifiers: a type prefix and a ULID, which sorts by the time it was made."""

import re
from datetime import datetime

from domain.common.environment import chance, now

_FORM = re.compile(r"[a-z]+_[0-7][0-9A-HJKMNP-TV-Z]{25}")


def new_id(prefix: str) -> str:
    """Return a new identifier such as `item_01JD3Z…` (https://github.com/ulid/spec)."""
    return derived_id(prefix, now(), chance().randbytes(10))


def derived_id(prefix: str, moment: datetime, seed: bytes) -> str:
    """Return the identifier that `seed` (at least 10 bytes) always has at `moment`."""
    from ulid import ULID

    milliseconds = int(moment.timestamp() * 1000)
    return f"{prefix}_{ULID.from_bytes(milliseconds.to_bytes(6) + seed[:10])}"


def is_id(prefix: str, value: str) -> bool:
    """Tell whether `value` could be an identifier with this prefix, so that nothing else reaches a key."""
    return value.startswith(f"{prefix}_") and _FORM.fullmatch(value) is not None
