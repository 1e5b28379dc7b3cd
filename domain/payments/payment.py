"""Payments of orders, as clients see them."""

from typing import Annotated, Literal

from pydantic import MISSING, Field

from domain.common.model import Model, SingleLine, Timestamp
from domain.common.money import Money

PaymentState = Literal[
    "requires_action", "processing", "captured", "failed", "voided", "refunded", "partially_refunded"
]
"""Status of a payment as clients see it. `processing`: its outcome is not known yet, ask again."""


class NewPayment(Model):
    """A payment: collected outside Tradepost (`manual`), and captured at once, or through a provider."""

    provider: Literal["manual", "stripe", "paypal"]
    reference: Annotated[SingleLine, Field(max_length=200)] | None = None
    """Free text, such as the number of a receipt."""
    return_url: Annotated[SingleLine, Field(max_length=2000)] | None = None
    """Where a provider with a page of its own sends the customer afterwards."""


class Payment(Model):
    """A payment of an order. One that `requires_action` is confirmed by the customer, with the provider."""

    id: str
    order_id: str
    provider: str
    status: PaymentState
    amount: Money
    reference: str | None
    client_secret: str | MISSING = MISSING
    """What the provider's page or library needs to let the customer confirm."""
    approve_url: str | MISSING = MISSING
    """Where the customer confirms."""
    failure: str | MISSING = MISSING
    """Why the last attempt was declined."""
    transaction_id: str | None
    """Id of the ledger transaction of the payment; null before, or for an order with a total of zero."""
    version: int
    created_at: Timestamp
    updated_at: Timestamp
