"""Settings of the payment providers of a tenant."""

from typing import Annotated

from pydantic import Field, StrictBool

from domain.common.model import Model, Timestamp


class StripeCredentials(Model):
    """Credentials of a Stripe account. Without `webhook_secret`, what Stripe sends is refused."""

    secret_key: Annotated[str, Field(pattern=r"^(sk|rk)_(test|live)_[A-Za-z0-9_]{1,200}$")]
    webhook_secret: Annotated[str, Field(pattern=r"^whsec_[A-Za-z0-9+/=_-]{1,200}$")] | None = None


class NewProvider(Model):
    """Credentials for a provider, which are never shown, and whether payments can be begun with it."""

    credentials: StripeCredentials
    enabled: StrictBool = True


class PaymentProvider(Model):
    """A payment provider of a tenant."""

    provider: str
    enabled: bool
    account: str
    """Id of the account at the provider."""
    webhook_url: str
    """Address to which the provider is to send its events."""
    version: int
    updated_at: Timestamp
