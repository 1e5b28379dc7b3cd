"""Settings of the payment providers of a tenant."""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, StrictBool, Tag

from domain.common.model import Model, Timestamp
from domain.common.money import SignedMoney


class StripeCredentials(Model):
    """Credentials of a Stripe account. Without `webhook_secret`, what Stripe sends is refused."""

    secret_key: Annotated[str, Field(pattern=r"^(sk|rk)_(test|live)_[A-Za-z0-9_]{1,200}$")]
    webhook_secret: Annotated[str, Field(pattern=r"^whsec_[A-Za-z0-9+/=_-]{1,200}$")] | None = None


class PayPalCredentials(Model):
    """Credentials of a PayPal app. Without `webhook_id`, what PayPal sends is refused."""

    client_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,200}$")]
    client_secret: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,200}$")]
    webhook_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,50}$")] | None = None


_STRIPE, _PAYPAL = "function-stripe", "function-paypal"
"""Tags of the union below, which pointers to flaws leave out."""


def _whose(given: Any) -> str:
    if isinstance(given, dict):
        return _PAYPAL if "client_id" in given and "secret_key" not in given else _STRIPE
    return _PAYPAL if isinstance(given, PayPalCredentials) else _STRIPE


type Credentials = Annotated[
    Annotated[StripeCredentials, Tag(_STRIPE)] | Annotated[PayPalCredentials, Tag(_PAYPAL)], Discriminator(_whose)
]


class NewProvider(Model):
    """Credentials for a provider, which are never shown, and whether payments can be begun with it."""

    credentials: Credentials
    enabled: StrictBool = True


class PaymentProvider(Model):
    """A payment provider of a tenant."""

    provider: str
    enabled: bool
    account: str
    """Id of the account at the provider."""
    webhook_url: str
    """Address to which the provider is to send its events."""
    circuit: Literal["closed", "open"]
    """`open` while the provider is left alone, as it did not answer several times in a row."""
    difference: list[SignedMoney]
    """What the balance at the provider has more than the ledger's account for it; empty if they agree."""
    compared_at: Timestamp | None
    """When they were compared; null before, and if the credentials may not read the balance."""
    version: int
    updated_at: Timestamp
