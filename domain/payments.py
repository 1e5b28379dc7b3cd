"""Payments of orders."""

from typing import Annotated, Literal

from pydantic import Field

from domain.common.model import Model, SingleLine, Timestamp
from domain.common.money import Money


class NewPayment(Model):
    """A payment collected manually, outside Tradepost. It is captured at once."""

    provider: Literal["manual"]
    reference: Annotated[SingleLine, Field(max_length=200)] | None = None


class Payment(Model):
    """A payment of an order."""

    id: str
    order_id: str
    provider: str
    status: str
    amount: Money
    reference: str | None
    transaction_id: str | None
    """Id of the ledger transaction of the payment; null for an order with a total of zero."""
    created_at: Timestamp
