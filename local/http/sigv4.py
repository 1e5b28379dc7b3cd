"""Local IAM authorization with one access key: Signature Version 4 of requests (SigV4)."""

import hmac
import json
import re
import secrets
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

SERVICE = "execute-api"
USER_ARN = "arn:aws:iam::000000000000:user/local-operator"
_SKEW = timedelta(minutes=5)
"""Maximum difference between a request's time and the local clock (IAM user guide, "Signature Version 4")."""
_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/\d{8}/([a-z0-9-]+)/execute-api/aws4_request, ?"
    r"SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})"
)


class SignedRequest(Protocol):
    """Parts of an HTTP request that a signature covers."""

    @property
    def method(self) -> str:
        """Method, such as `GET`."""

    @property
    def path(self) -> str:
        """Path, percent-encoded as it was sent."""

    @property
    def query(self) -> str:
        """Query string, without the question mark."""

    @property
    def body(self) -> bytes:
        """Body."""

    def header(self, name: str) -> str | None:
        """Return the last value of a header, or None."""


@dataclass(frozen=True, slots=True)
class AccessKey:
    """Access key of an operator."""

    id: str
    secret: str


def access_key(folder: Path | None) -> tuple[AccessKey, bool]:
    """Return the access key stored in `folder` (None: a new one that is not stored), and whether it is new."""
    path = folder and folder / "access-key.json"
    if path and path.exists():
        return AccessKey(**json.loads(path.read_text())), False
    key = AccessKey(f"LOCAL{secrets.token_hex(8).upper()}", secrets.token_urlsafe(30))
    if path:
        path.touch(mode=0o600)
        path.write_text(json.dumps(asdict(key)))
    return key, True


def is_signed(request: SignedRequest, key: AccessKey) -> bool:
    """Return whether a request has a valid signature by `key`, with a time at most five minutes from now."""
    match = _AUTHORIZATION.fullmatch(request.header("authorization") or "")
    date = request.header("x-amz-date") or ""
    if not match or match[1] != key.id or not _is_recent(date):
        return False
    _, region, names, signature = match.groups()
    signed = {name: request.header(name) or "" for name in names.split(";")}
    if not {"host", "x-amz-date"} <= set(signed):
        return False
    target = request.path + (f"?{request.query}" if request.query else "")
    rebuilt = AWSRequest(request.method, f"http://{request.header('host')}{target}", headers=signed, data=request.body)
    rebuilt.context["timestamp"] = date
    auth = SigV4Auth(Credentials(key.id, key.secret), SERVICE, region)
    auth.timestamp = date  # type: ignore[attr-defined]
    try:
        canonical = auth.canonical_request(rebuilt)
        expected = auth.signature(auth.string_to_sign(rebuilt, canonical), rebuilt)
    except ValueError:  # a host that is no host
        return False
    return hmac.compare_digest(expected, signature)


def _is_recent(date: str) -> bool:
    try:
        moment = datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return False
    return abs(datetime.now(UTC) - moment) <= _SKEW
