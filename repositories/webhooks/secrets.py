"""Secrets of webhook endpoints, and signatures with them (https://www.standardwebhooks.com, "Signature scheme")."""

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from domain.webhooks import OLD_SECRET_LIFETIME
from repositories.aws.derived_secrets import derived_secret

FIRST = 1
"""Number of the first generation of a secret."""
PREFIX = "whsec_"
"""Beginning of a secret (Standard Webhooks, "Secret")."""


def secret_of(tenant: str, endpoint_id: str, generation: int) -> str:
    """Return a generation of the secret of an endpoint: `whsec_` and 32 bytes in base64."""
    return PREFIX + base64.b64encode(derived_secret(tenant, endpoint_id, generation)).decode()


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
    return [derived_secret(tenant, endpoint_id, generation - before) for before in range(lately + 1)]
