"""Shipments of an order's units, as clients send and see them."""

from typing import Annotated

from pydantic import Field

from domain.common.model import A_NUMBER, Model, SingleLine, Timestamp, at_most
from domain.orders.checkout import MAX_ITEMS
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
