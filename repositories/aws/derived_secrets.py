"""Secrets that are derived from one key and not stored: a new generation of one is another number."""

import hashlib
import hmac

from repositories.aws.clients import secretsmanager
from repositories.aws.errors import mapped_to_domain
from repositories.aws.settings import settings
from repositories.aws.ttl_cache import TtlCache

_KEY_MAX_AGE = 3600
key_cache: TtlCache[str, bytes] = TtlCache(1)


def derived_secret(tenant: str, owner_id: str, generation: int) -> bytes:
    """Return a generation of the secret of what has this id: 32 bytes. Raises Unavailable."""
    key = key_cache.get("", _load_key, max_age=_KEY_MAX_AGE)
    return hmac.digest(key, f"{tenant}\n{owner_id}\n{generation}".encode(), hashlib.sha256)


def _load_key() -> bytes:
    if settings().webhook_key:
        return settings().webhook_key.encode()
    with mapped_to_domain():
        return secretsmanager().get_secret_value(SecretId=settings().webhook_secret)["SecretString"].encode()
