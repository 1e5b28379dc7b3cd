"""Payments of orders."""

from typing import Annotated

from pydantic import Field

from domain.common.model import Model, SingleLine, Timestamp
from domain.common.money import Money


class NewPayment(Model):
    """A payment that was taken by hand: it is captured at once."""

    provider: Annotated[str, Field(pattern="^manual$", examples=["manual"])]
    reference: Annotated[SingleLine, Field(max_length=200)] | None = None


class Refund(Model):
    """Why money goes back."""

    reason: Annotated[SingleLine, Field(max_length=200)] | None = None


class Payment(Model):
    """Money that was taken for an order."""

    id: str
    order_id: str
    provider: str
    status: str
    amount: Money
    reference: str | None
    transaction_id: str | None
    """The ledger transaction that it was posted by; none for an order that costs nothing."""
    created_at: Timestamp
