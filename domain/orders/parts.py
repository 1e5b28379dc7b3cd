"""Parts of an order, as clients send and see them: shipments of its units, and refunds of its payment."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StrictBool, model_validator
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import PydanticCustomError

from domain.common.errors import Flaw
from domain.common.model import A_NUMBER, Model, SingleLine, Timestamp, at_most
from domain.common.money import Money, positive
from domain.orders.checkout import MAX_ITEMS, ItemUnits
from domain.stock import MAX_UNITS

MAX_PARTS = 100
"""Maximum shipments, and maximum refunds, of an order: its row has all of them."""

ItemId = Annotated[str, Field(max_length=64, examples=["item_01JD3ZK8Q4M5X6Y7Z8A9B0C1D2"])]
PartQuantity = Annotated[int, Field(ge=1, le=MAX_UNITS, examples=[1]), A_NUMBER]
_Name = Annotated[SingleLine, Field(max_length=100)]


class ShipmentLine(Model):
    """Units of an item in a shipment."""

    item_id: ItemId
    quantity: PartQuantity


def too_many(lines: Iterable[ItemUnits], left: Mapping[str, int], code: str) -> list[Flaw]:
    """Return a flaw for each line by which the lines have more units of an item than are left."""
    sums: dict[str, int] = {}
    flaws = []
    for index, line in enumerate(lines):
        sums[line.item_id] = sums.get(line.item_id, 0) + line.quantity
        there = left.get(line.item_id, 0)
        if sums[line.item_id] > there:
            flaws.append(Flaw(f"/lines/{index}/quantity", code, f"{there} units of the item are left."))
    return flaws


class NewShipment(Model):
    """A shipment to record: of some lines, or of all units that remain to be shipped."""

    lines: Annotated[list[ShipmentLine], Field(min_length=1, max_length=MAX_ITEMS), at_most(MAX_ITEMS)] | None = None
    carrier: _Name | None = None
    tracking_number: _Name | None = None


class Shipment(Model):
    """Units of an order that were shipped together."""

    id: str
    order_id: str
    lines: list[ShipmentLine]
    carrier: str | None
    tracking_number: str | None
    created_at: Timestamp


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
    amount: Annotated[Money, AfterValidator(positive)] | None = None
    reason: Reason | None = None

    @model_validator(mode="after")
    def _is_one_kind(self) -> Self:
        if self.amount is None:
            if not self.lines and not self.shipping:
                raise PydanticCustomError("refund_empty", "Lines, shipping or an amount must be refunded")
        elif self.lines or self.shipping:
            raise PydanticCustomError("refund_mixed", "An amount is refunded without lines and shipping")
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
    status: Literal["succeeded", "pending"] = "succeeded"
    """`pending`: the provider has not said yet whether it was made."""
    transaction_id: str | None
    """Id of the ledger transaction of the refund; null if its amount is zero."""
    created_at: Timestamp
    debits: SkipJsonSchema[tuple[int, int, int, int]] = Field(default=(0, 0, 0, 0), exclude=True)
    """Minor units taken from sales, shipping, fees and tax (`domain.orders.revenue`); not shown."""
