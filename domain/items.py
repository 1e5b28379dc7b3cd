"""Items of the catalogue."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Self

from pydantic import MISSING, AfterValidator, Field, JsonValue

from domain.common.codes import Sku
from domain.common.errors import ItemArchived
from domain.common.merge_patch import patched
from domain.common.model import Model, SingleLine, Text, Timestamp, of_kilobytes
from domain.common.money import Money, MoneyPatch
from domain.stock import Stock, Units
from domain.tax import STANDARD_TAX, TaxClass

MAX_ATTRIBUTES_KB = 16

Attributes = Annotated[
    dict[str, JsonValue],
    AfterValidator(of_kilobytes(MAX_ATTRIBUTES_KB)),
    Field(examples=[{"colour": "red", "weight_g": 310}]),
]
Name = Annotated[SingleLine, Field(max_length=200, examples=["Enamel mug"])]
Description = Annotated[Text, Field(max_length=10_000)]


class ItemStatus(StrEnum):
    """Status of an item. Archived items cannot be ordered or edited."""

    ACTIVE = "active"
    ARCHIVED = "archived"


class ItemFields(Model):
    """Fields of an item that clients set."""

    name: Name
    price: Money
    sku: Sku | None = None
    description: Description | None = None
    attributes: Attributes = Field(default_factory=dict)
    tax_class: TaxClass = STANDARD_TAX


class NewItem(ItemFields):
    """A new item. `stock` is the number of units on hand; if null or left out, units are not counted."""

    stock: Units | None = None


class ItemPatch(Model):
    """A JSON merge patch (RFC 7396) of an item. Fields left out are unchanged; null removes a value."""

    name: Name | MISSING = MISSING
    price: MoneyPatch | MISSING = MISSING
    sku: Sku | MISSING | None = MISSING
    description: Description | MISSING | None = MISSING
    attributes: (
        Annotated[dict[str, JsonValue] | None, AfterValidator(lambda a: a and of_kilobytes(MAX_ATTRIBUTES_KB)(a))]
        | MISSING
    ) = MISSING
    tax_class: TaxClass | MISSING | None = MISSING


class ItemSummary(Model):
    """An item as shown in lists. `stock` is there if it was asked for; null if units are not counted."""

    id: str
    sku: str | None
    name: str
    price: Money
    status: ItemStatus
    stock: Stock | MISSING | None = MISSING
    version: int
    created_at: Timestamp
    updated_at: Timestamp


class Item(Model):
    """An item of the catalogue. `stock` is null if units are not counted."""

    id: str = Field(examples=["item_01JD3ZK8Q4M5X6Y7Z8A9B0C1D2"])
    sku: str | None
    name: str
    description: str | None
    price: Money
    attributes: dict[str, JsonValue]
    tax_class: str
    status: ItemStatus
    stock: Stock | None
    version: int
    created_at: Timestamp
    updated_at: Timestamp

    @classmethod
    def new(cls, item_id: str, fields: NewItem, at: datetime) -> Self:
        """Return the first version of an item."""
        counted = fields.stock is not None
        units = fields.stock or 0
        return cls(
            **fields.model_dump(exclude={"stock", "price"}),
            price=fields.price,
            id=item_id,
            status=ItemStatus.ACTIVE,
            stock=Stock(on_hand=units, reserved=0, available=units) if counted else None,
            version=1,
            created_at=at,
            updated_at=at,
        )

    def patched(self, patch: ItemPatch) -> ItemFields:
        """Return the item's fields with `patch` applied. Raises ItemArchived, or ValidationFailed for the result."""
        self.require_active()
        return patched(self, ItemFields, patch)

    def require_active(self) -> None:
        """Raise ItemArchived if the item is archived."""
        if self.status is ItemStatus.ARCHIVED:
            raise ItemArchived


class NewItems(Model):
    """Items to add in one request. Each entry is a `NewItem` and is validated separately."""

    items: Annotated[list[dict[str, JsonValue]], Field(min_length=1, max_length=100)]
