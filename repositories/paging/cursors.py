"""Cursors: signed positions in a list, good for one list of one tenant for a day."""

import hashlib
from datetime import timedelta

from itsdangerous import BadData, BadSignature, SignatureExpired, TimestampSigner, URLSafeTimedSerializer
from itsdangerous.encoding import base64_decode, base64_encode

from domain.common.environment import monotonic, now
from domain.common.errors import CursorInvalid
from repositories.aws.clients import secretsmanager
from repositories.aws.errors import translated
from repositories.aws.settings import settings
from repositories.dynamodb.keys import Position

LIFETIME = timedelta(days=1)
_SKEW_SECONDS = 5
_KEYS_KNOWN_FOR = 300
_KEYS_ASKED_AGAIN_AFTER = 10
"""Seconds: the first to learn of a rotation in time, the second so that bad cursors cannot make us ask for each."""


class _Signer(TimestampSigner):
    """Signs by the environment's clock."""

    def get_timestamp(self) -> int:
        return int(now().timestamp())


class _Reader(_Signer):
    """Reads by a clock ahead of that: a cursor that was signed by a faster clock is not from the future."""

    def get_timestamp(self) -> int:
        return super().get_timestamp() + _SKEW_SECONDS


def seal(position: Position, query: str) -> str:
    """Return a cursor for `position` in the list that `query` describes."""
    sealed = _serializer(query).dumps([position.at, position.id])
    return sealed if isinstance(sealed, str) else sealed.decode()


def unseal(cursor: str, query: str) -> Position:
    """Return the position that `seal` put into a cursor for the same query; CursorInvalid for anything else."""
    try:
        at, row_id = _opened(cursor, query)
    except (BadData, ValueError) as bad:
        raise CursorInvalid from bad
    # The last character of base64 has bits that decoding ignores: without this a changed cursor could pass.
    signature = cursor.rpartition(".")[2]
    if base64_encode(base64_decode(signature)).decode() != signature:
        raise CursorInvalid
    return Position(at, row_id)


def _opened(cursor: str, query: str) -> list[str]:
    """Open a cursor; one that no known key signed is tried again with the keys of now."""
    lifetime = int(LIFETIME.total_seconds())
    try:
        opened: list[str] = _serializer(query, signer=_Reader).loads(cursor, max_age=lifetime)
    except SignatureExpired:
        raise
    except BadSignature:
        opened = _serializer(query, _KEYS_ASKED_AGAIN_AFTER, _Reader).loads(cursor, max_age=lifetime)
    return opened


def _serializer(
    query: str, known_for: int = _KEYS_KNOWN_FOR, signer: type[TimestampSigner] = _Signer
) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(
        _keys(known_for), salt=query, signer=signer, signer_kwargs={"digest_method": hashlib.sha256}
    )


class _Known:
    """The keys, and when they were asked for."""

    keys: tuple[str, ...] = ()
    at = float("-inf")


def _keys(known_for: int) -> list[str]:
    """Return the signing keys, oldest first as the signer wants them, asked for no longer than `known_for` s ago."""
    if monotonic() - _Known.at > known_for:
        text = settings().cursor_keys or _secret(settings().cursor_secret)
        _Known.keys = tuple(key.strip() for key in reversed(text.split(",")))
        _Known.at = monotonic()
    return list(_Known.keys)


def forget_keys() -> None:
    """Ask for the keys anew when they are next needed."""
    _Known.at = float("-inf")


def _secret(name: str) -> str:
    with translated():
        return secretsmanager().get_secret_value(SecretId=name)["SecretString"]
