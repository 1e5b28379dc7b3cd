"""Cursors: signed positions in a list. A cursor is valid for one list of one tenant, for a day."""

import hashlib
from datetime import timedelta

from itsdangerous import BadData, BadSignature, SignatureExpired, TimestampSigner, URLSafeTimedSerializer
from itsdangerous.encoding import base64_decode, base64_encode

from domain.common.environment import now
from domain.common.errors import CursorInvalid
from repositories.aws.clients import secretsmanager
from repositories.aws.errors import mapped_to_domain
from repositories.aws.settings import settings
from repositories.aws.ttl_cache import TtlCache

LIFETIME = timedelta(days=1)
_SKEW_SECONDS = 5
_KEYS_MAX_AGE = 300
"""Maximum age of loaded keys in seconds. It may be long, as a rotation leaves the previous key valid."""
_KEYS_MIN_AGE = 10
"""Minimum age of loaded keys, in seconds, before a cursor that none of them signed makes the function load them again:
invalid cursors are cheap to send."""

keys_cache: TtlCache[str, tuple[str, ...]] = TtlCache(1)


class _Signer(TimestampSigner):
    """Signer that uses the environment's clock."""

    def get_timestamp(self) -> int:
        return int(now().timestamp())


class _Reader(_Signer):
    """Verifier with a clock that is ahead, so that a cursor from a function with a faster clock is valid."""

    def get_timestamp(self) -> int:
        return super().get_timestamp() + _SKEW_SECONDS


def seal(sort_key: str, query: str) -> str:
    """Return a cursor for the position `sort_key` in the list that `query` identifies."""
    sealed = _serializer(query).dumps(sort_key)
    return sealed if isinstance(sealed, str) else sealed.decode()


def unseal(cursor: str, query: str, lifetime: timedelta = LIFETIME) -> str:
    """Return the sort key that `seal` put into a cursor of the same query, within a lifetime. Raises CursorInvalid."""
    try:
        sort_key = _opened(cursor, query, int(lifetime.total_seconds()))
    except (BadData, ValueError) as bad:
        raise CursorInvalid from bad
    # Decoding ignores some bits of the last base64 character: without this check a changed cursor could pass.
    signature = cursor.rpartition(".")[2]
    if base64_encode(base64_decode(signature)).decode() != signature:
        raise CursorInvalid
    return sort_key


def _opened(cursor: str, query: str, lifetime: int) -> str:
    """Return the content of a cursor. If no known key signed it, load the keys again and retry."""
    try:
        opened = _serializer(query, signer=_Reader).loads(cursor, max_age=lifetime)
    except SignatureExpired:
        raise
    except BadSignature:
        opened = _serializer(query, _KEYS_MIN_AGE, _Reader).loads(cursor, max_age=lifetime)
    if not isinstance(opened, str):
        raise BadData("a cursor in another format")
    return opened


def _serializer(
    query: str, max_age: int = _KEYS_MAX_AGE, signer: type[TimestampSigner] = _Signer
) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(
        _keys(max_age), salt=query, signer=signer, signer_kwargs={"digest_method": hashlib.sha256}
    )


def _keys(max_age: int) -> list[str]:
    """Return the signing keys, oldest first, as itsdangerous requires."""
    return list(keys_cache.get("", _load_keys, max_age=max_age))


def _load_keys() -> tuple[str, ...]:
    text = settings().cursor_keys or _secret(settings().cursor_secret)
    return tuple(key.strip() for key in reversed(text.split(",")))


def _secret(name: str) -> str:
    with mapped_to_domain():
        return secretsmanager().get_secret_value(SecretId=name)["SecretString"]
