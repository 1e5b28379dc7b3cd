"""Refunds of an order's payment, as clients send and see them."""

from typing import Annotated, Literal, Self

from pydantic import Field, StrictBool, model_validator
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import PydanticCustomError

from domain.common.model import Model, SingleLine, Timestamp, at_most
from domain.common.money import Money
from domain.orders.checkout import MAX_ITEMS
from domain.orders.shipments import ItemId, PartQuantity

MAX_LINES = 2 * MAX_ITEMS
"""Maximum lines of a refund: an item can be there with and without `restock`."""
Reason = Annotated[SingleLine, Field(max_length=200, examples=["damaged in the post"])]


class RefundLine(Model):
    """Units of an item to refund. With `restock`, units that were shipped return to the stock."""

    item_id: ItemId
    quantity: PartQuantity
    restock: StrictBool = False


class NewRefund(Model):
    """A refund to make: of lines, of shipping, or of both; or of an amount."""

    lines: Annotated[list[RefundLine], Field(min_length=1, max_length=MAX_LINES), at_most(MAX_LINES)] | None = None
    shipping: StrictBool = False
    amount: Money | None = None
    reason: Reason | None = None

    @model_validator(mode="after")
    def _is_one_kind(self) -> Self:
        if self.amount is None:
            if not self.lines and not self.shipping:
                raise PydanticCustomError("refund_empty", "Lines, shipping or an amount must be refunded")
        elif self.lines or self.shipping:
            raise PydanticCustomError("refund_mixed", "An amount is refunded without lines and shipping")
        elif not self.amount.minor:
            raise PydanticCustomError("amount_zero", "A refund is of more than zero")
        return self


class RefundOfRest(Model):
    """The reason for a refund of everything that is left."""

    reason: Reason | None = None


class Refund(Model):
    """A refund of a part of an order's payment, or of all of it."""

    id: str
    order_id: str
    amount: Money
    lines: list[RefundLine]
    shipping: bool
    """Whether it contains the charges for shipping."""
    reason: str | None
    status: Literal["succeeded"] = "succeeded"
    transaction_id: str | None
    """Id of the ledger transaction of the refund; null if its amount is zero."""
    created_at: Timestamp
    debits: SkipJsonSchema[tuple[int, int, int, int]] = Field(default=(0, 0, 0, 0), exclude=True)
    """Minor units taken from sales, shipping, fees and tax (`domain.orders.revenue`); not shown."""
