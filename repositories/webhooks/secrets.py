"""Secrets of webhook endpoints, and signatures with them (https://www.standardwebhooks.com, "Signature scheme").

Secrets are derived from one key and not stored: a new generation of an endpoint's secret is another number.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from domain.webhooks import OLD_SECRET_LIFETIME
from repositories.aws.clients import secretsmanager
from repositories.aws.errors import mapped_to_domain
from repositories.aws.settings import settings
from repositories.aws.ttl_cache import TtlCache

FIRST = 1
"""Number of the first generation of a secret."""
PREFIX = "whsec_"
"""Beginning of a secret (Standard Webhooks, "Secret")."""
_KEY_MAX_AGE = 3600
key_cache: TtlCache[str, bytes] = TtlCache(1)


def secret_of(tenant: str, endpoint_id: str, generation: int) -> str:
    """Return a generation of the secret of an endpoint: `whsec_` and 32 bytes in base64."""
    return PREFIX + base64.b64encode(_secret(tenant, endpoint_id, generation)).decode()


def with_secret(shown: Mapping[str, Any], tenant: str) -> dict[str, Any]:
    """Return a shown endpoint with its secret, in place of the generation that is stored instead."""
    return {**shown, "secret": secret_of(tenant, shown["id"], int(shown["secret"]))}


def signatures(secrets: Iterable[bytes], message_id: str, at: datetime, body: str) -> str:
    """Return the value of the header `webhook-signature`: a signature with each secret, separated by spaces."""
    signed = f"{message_id}.{int(at.timestamp())}.{body}".encode()
    return " ".join(
        f"v1,{base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()}" for secret in secrets
    )


def valid_secrets(
    tenant: str, endpoint_id: str, generation: int, rotations: Sequence[datetime], at: datetime
) -> list[bytes]:
    """Return the secrets that sign at a time: the current one, and those that were replaced less than a day ago.

    `rotations` are the times at which the current one and those before it were made, the last one last.
    """
    lately = sum(at - rotated < OLD_SECRET_LIFETIME for rotated in rotations)
    return [_secret(tenant, endpoint_id, generation - before) for before in range(lately + 1)]


def _secret(tenant: str, endpoint_id: str, generation: int) -> bytes:
    key = key_cache.get("", _load_key, max_age=_KEY_MAX_AGE)
    return hmac.digest(key, f"{tenant}\n{endpoint_id}\n{generation}".encode(), hashlib.sha256)


def _load_key() -> bytes:
    if settings().webhook_key:
        return settings().webhook_key.encode()
    with mapped_to_domain():
        return secretsmanager().get_secret_value(SecretId=settings().webhook_secret)["SecretString"].encode()
