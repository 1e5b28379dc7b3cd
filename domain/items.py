"""Items of the catalogue."""

import unicodedata
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Self

from pydantic import MISSING, AfterValidator, BeforeValidator, Field, JsonValue

from domain.common.errors import ItemArchived, PreconditionFailed
from domain.common.merge_patch import patched
from domain.common.model import Model, SingleLine, Text, Timestamp, of_kilobytes
from domain.common.money import Money
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


def composed[T](text: T) -> T | str:
    """Return text in Unicode's composed form (NFC); return other values unchanged."""
    return unicodedata.normalize("NFC", text) if isinstance(text, str) else text


_UNSEEN = r"\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff"
"""Invisible control and format characters, excluded so that SKUs that look the same are the same."""
Sku = Annotated[
    str,
    Field(
        max_length=64,
        pattern=rf"^[^{_UNSEEN}\s]([^{_UNSEEN}]*[^{_UNSEEN}\s])?$",
        examples=["MUG-RED"],
    ),
    BeforeValidator(composed),
]
"""Stock keeping unit in Unicode's composed form, so that equal text has one encoding."""


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


class MoneyPatch(Model):
    """A change to the amount, the currency or both."""

    amount: Annotated[str, Field(pattern=r"^(0|[1-9][0-9]{0,11})(\.[0-9]{1,4})?$")] | MISSING = MISSING
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] | MISSING = MISSING


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


@dataclass(frozen=True, slots=True)
class Versions:
    """Counters from which an item's version is computed.

    The item's row counts edits and its stock rows count stock changes, so that a sale never writes the item's row.
    Clients see the sum as the version, which changes whenever the item that they see changes.
    """

    edits: int
    stock: int
    stock_at_edit: int

    @property
    def shown(self) -> int:
        """Version of the item, as shown in its ETag."""
        return self.edits + self.stock

    def require_fresh(self, expected: frozenset[int] | None) -> None:
        """Raise PreconditionFailed unless a version in `expected` was current since the last edit; None accepts any.

        Sales since the last edit are ignored. Otherwise an item that sells fast could never be edited.
        """
        fresh = range(self.edits + self.stock_at_edit, self.shown + 1)
        if expected is not None and not any(version in fresh for version in expected):
            raise PreconditionFailed
