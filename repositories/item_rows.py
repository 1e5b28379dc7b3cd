"""An item's rows: the item with its head, and what a sale needs in the stock row beside it."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from domain.items import Item, ItemStatus, ItemSummary, Stock, Versions, attributes_json
from domain.model import to_rfc3339
from domain.money import Money
from repositories import keys
from repositories.keys import Position
from repositories.rows import Row, new_row

COLLECTIONS = {ItemStatus.ACTIVE: "ITEM", ItemStatus.ARCHIVED: "ITEM_ARCHIVED"}
"""Archiving is rare, so it moves an item to a list of its own: neither list has to filter."""


@dataclass(frozen=True, slots=True)
class StoredItem:
    """An item as read, with the counters that its conditions need."""

    item: Item
    versions: Versions

    @classmethod
    def of(cls, row: Row, stock: Row) -> Self:
        """Join an item's two rows."""
        versions = Versions(row["edits"], stock["changes"], stock["changes_at_edit"])
        item = Item(
            **_shown(row["head"])
            | {
                "description": row.get("description"),
                "attributes": json.loads(row["attributes"]),
                "stock": _stock(stock),
                "version": versions.shown,
            }
        )
        return cls(item, versions)

    def edited(self, at: datetime, **changes: Any) -> "StoredItem":
        """Return the item after one more edit."""
        versions = Versions(self.versions.edits + 1, self.versions.stock, self.versions.stock)
        update = changes | {"version": versions.shown, "updated_at": at}
        return StoredItem(self.item.model_copy(update=update), versions)


def item_row(tenant: str, item: Item, versions: Versions) -> Row:
    """Return the row of an item."""
    key = keys.item(tenant, item.id)
    at = Position(to_rfc3339(item.created_at), item.id)
    head = {
        "id": item.id,
        "sku": item.sku,
        "name": item.name,
        "price": item.price.minor,
        "currency": item.price.currency,
        "status": item.status.value,
        "version": versions.edits + versions.stock_at_edit,
        "created_at": at.at,
        "updated_at": to_rfc3339(item.updated_at),
    }
    return new_row(
        key,
        "item",
        head=head,
        edits=versions.edits,
        description=item.description,
        attributes=attributes_json(item.attributes),
        **keys.listed(tenant, COLLECTIONS[item.status], at),
    )


def for_sale(item: Item) -> dict[str, Any]:
    """What placing an order needs to know of an item."""
    return {
        "item_name": item.name,
        "sku": item.sku,
        "price": item.price.minor,
        "currency": item.price.currency,
        "sellable": item.status is ItemStatus.ACTIVE,
    }


def stock_row(tenant: str, item: Item) -> Row:
    """Return the first stock row of an item."""
    return new_row(
        keys.stock(tenant, item.id),
        "stock",
        edits=1,
        changes=0,
        changes_at_edit=0,
        **for_sale(item),
        **(item.stock.model_dump() if item.stock else {}),
    )


def position(row: Row) -> Position:
    """Return where a row stands in its list."""
    return Position(row["head"]["created_at"], row["head"]["id"])


def _stock(row: Row) -> Stock | None:
    if "on_hand" not in row:
        return None
    return Stock(on_hand=row["on_hand"], reserved=row["reserved"], available=row["available"])


def summary(row: Row) -> ItemSummary:
    """Return an item as lists show it."""
    return ItemSummary(**_shown(row["head"]))


def _shown(head: Row) -> dict[str, Any]:
    """Return the fields of a summary."""
    fields = dict(head)
    fields["price"] = Money.of_minor(head["price"], fields.pop("currency"))
    return fields
