"""Cursors: signed positions in a list, good for one list of one tenant for a day."""

import hashlib
import time
from datetime import timedelta
from functools import lru_cache

from itsdangerous import BadData, URLSafeTimedSerializer
from itsdangerous.encoding import base64_decode, base64_encode

from domain.errors import CursorInvalid
from repositories.clients import secretsmanager
from repositories.keys import Position
from repositories.settings import settings

LIFETIME = timedelta(days=1)
_KEYS_CACHED_FOR = 300


def seal(position: Position, query: str) -> str:
    """Return a cursor for `position` in the list that `query` describes."""
    sealed = _serializer(query).dumps([position.at, position.id])
    return sealed if isinstance(sealed, str) else sealed.decode()


def unseal(cursor: str, query: str) -> Position:
    """Return the position that `seal` put into a cursor for the same query; CursorInvalid for anything else."""
    try:
        at, row_id = _serializer(query).loads(cursor, max_age=int(LIFETIME.total_seconds()))
    except (BadData, ValueError) as bad:
        raise CursorInvalid from bad
    # The last character of base64 has bits that decoding ignores: without this a changed cursor could pass.
    signature = cursor.rpartition(".")[2]
    if base64_encode(base64_decode(signature)).decode() != signature:
        raise CursorInvalid
    return Position(at, row_id)


def _serializer(query: str) -> URLSafeTimedSerializer:
    period = int(time.monotonic() // _KEYS_CACHED_FOR)
    return URLSafeTimedSerializer(_keys(period), salt=query, signer_kwargs={"digest_method": hashlib.sha256})


@lru_cache(maxsize=1)
def _keys(_period: int) -> list[str]:
    """Return the signing keys, oldest first as the signer wants them; the newest signs, all are accepted."""
    known = settings()
    text = known.cursor_keys or _secret(known.cursor_secret)
    return [key.strip() for key in reversed(text.split(","))]


def _secret(name: str) -> str:
    return secretsmanager().get_secret_value(SecretId=name)["SecretString"]
