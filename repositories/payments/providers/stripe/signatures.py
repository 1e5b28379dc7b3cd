"""Signatures of Stripe's webhooks (Stripe documentation, "Resolve webhook signature verification errors")."""

import hashlib
import hmac
import re
from collections.abc import Iterable
from datetime import datetime

TOLERANCE_SECONDS = 300
"""Difference from the clock up to which a signature is valid, as in Stripe's libraries."""
_SCHEME = "v1"


def is_signed(body: bytes, header: str | None, secrets: Iterable[str], at: datetime) -> bool:
    """Return whether a body was signed with one of the secrets, at about this time.

    `header` is `t=<seconds>,v1=<signature>,…`: hexadecimal HMAC-SHA256 of `<seconds>.<body>`.
    """
    pairs = [part.partition("=") for part in (header or "").split(",")]
    times = [value for name, _, value in pairs if name.strip() == "t"]
    given = [value for name, _, value in pairs if name.strip() == _SCHEME]
    if len(times) != 1 or not re.fullmatch("[0-9]{1,15}", times[0]):
        return False
    if abs(at.timestamp() - int(times[0])) > TOLERANCE_SECONDS:
        return False
    signed = times[0].encode() + b"." + body
    wanted = [hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets]
    return any(hmac.compare_digest(one.encode(), other.encode()) for one in wanted for other in given)
