"""Credentials of payment providers: a secret in Secrets Manager for each tenant and provider.

The name of a secret begins with the tenant, so that the role of a request can reach those of its tenant only.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Self

from botocore.exceptions import ClientError

from domain.common.errors import Unavailable
from repositories.aws.clients import tenant_secrets
from repositories.aws.errors import mapped_to_domain
from repositories.aws.settings import settings
from repositories.aws.ttl_cache import TtlCache

_MAX_AGE, _ANEW_MAX_AGE = 300, 5
"""Ages in seconds of what is read usually, and of what is read anew: bad signatures must not cause a read each."""
cache: TtlCache[str, "Credentials | None"] = TtlCache(1000)
_MISSING = frozenset({"ResourceNotFoundException", "InvalidRequestException"})
"""Error codes of a secret that does not exist, or is being deleted."""
_BUSY = frozenset({"ResourceExistsException", "InvalidRequestException"})


@dataclass(frozen=True, slots=True)
class Credentials:
    """Credentials of a tenant for a provider."""

    secrets: Mapping[str, str]
    """What requests are made with, as the contract names it: `secret_key`, or `client_id` and `client_secret`."""
    webhook: str | None
    """What webhooks are signed for: a secret, or the id of the webhook."""
    previous_webhook: str | None = None
    """What they were signed for before, which is valid until it is replaced again."""

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return the credentials of a secret."""
        return cls(**json.loads(text))

    @property
    def webhooks(self) -> list[str]:
        """What webhooks may be signed for."""
        return [each for each in (self.webhook, self.previous_webhook) if each]

    def after(self, before: "Credentials | None") -> "Credentials":
        """Return these credentials where there were others."""
        if before is None:
            return self
        is_new = before.webhook != self.webhook
        return replace(self, previous_webhook=before.webhook if is_new else before.previous_webhook)


def read(tenant: str, provider: str, *, anew: bool = False) -> Credentials | None:
    """Return credentials, at most five minutes old (`anew`: five seconds), or None without any. Raises Unavailable."""
    name = _name(tenant, provider)
    return cache.get(name, lambda: _load(name), max_age=_ANEW_MAX_AGE if anew else _MAX_AGE)


def write(tenant: str, provider: str, credentials: Credentials) -> None:
    """Store credentials. Raises Unavailable."""
    name, text = _name(tenant, provider), json.dumps(asdict(credentials))
    with mapped_to_domain():
        try:
            tenant_secrets().put_secret_value(SecretId=name, SecretString=text)
        except ClientError as error:
            if error.response["Error"]["Code"] not in _MISSING:
                raise
            _create(name, text)
    cache.forget(name)


def _create(name: str, text: str) -> None:
    """Create a secret. Raises Unavailable if another request creates it now, or its deletion has not ended."""
    try:
        tenant_secrets().create_secret(Name=name, SecretString=text)
    except ClientError as error:
        if error.response["Error"]["Code"] not in _BUSY:
            raise
        raise Unavailable from error


def delete(tenant: str, provider: str) -> None:
    """Delete credentials, if there are any. Raises Unavailable."""
    name = _name(tenant, provider)
    with mapped_to_domain():
        try:
            tenant_secrets().delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
        except ClientError as error:
            if error.response["Error"]["Code"] not in _MISSING:
                raise
    cache.forget(name)


def _load(name: str) -> Credentials | None:
    with mapped_to_domain():
        try:
            found = tenant_secrets().get_secret_value(SecretId=name)
        except ClientError as error:
            if error.response["Error"]["Code"] in _MISSING:
                return None
            raise
    return Credentials.from_json(found["SecretString"])


def _name(tenant: str, provider: str) -> str:
    return f"{settings().provider_secrets}{tenant}/{provider}"
