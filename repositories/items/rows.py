"""An item's rows: the item with its head, and what a sale needs in the stock row beside it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.common.model import to_rfc3339
from domain.common.money import Money
from domain.items import Item, ItemStatus, ItemSummary, Versions, attributes_json
from domain.stock import Stock
from repositories.dynamodb import keys
from repositories.dynamodb.codec import Row, new_row
from repositories.dynamodb.keys import Key, Position
from repositories.dynamodb.transaction import Stale

COLLECTIONS = {ItemStatus.ACTIVE: "ITEM", ItemStatus.ARCHIVED: "ITEM_ARCHIVED"}
"""Archiving is rare, so it moves an item to a list of its own: neither list has to filter."""


@dataclass(frozen=True, slots=True)
class StockRows:
    """An item's stock rows as read, by shard. The first one says over how many shards units are spread."""

    rows: tuple[Row, ...]

    @property
    def shards(self) -> int:
        """Over how many shards units are spread; rows beyond hold only what orders reserved before."""
        return int(self.rows[0]["shard_count"])

    @property
    def sequence(self) -> int:
        """How many changes of stock were told by events of their own, as orders' are by the orders'."""
        return int(self.rows[0]["stock_events"])

    @property
    def received(self) -> int | None:
        """Units that came in, less those that were counted out: what is on hand and what was shipped are as many.

        None where that was not kept from the beginning.
        """
        received: int | None = self.rows[0].get("received")
        return received

    @property
    def counted(self) -> bool:
        """Whether units are counted."""
        return "on_hand" in self.rows[0]

    @property
    def available(self) -> list[int]:
        """The units that are free, by shard."""
        return [row["available"] for row in self.rows]

    @property
    def stock(self) -> Stock | None:
        """The sum of all shards."""
        if not self.counted:
            return None
        return Stock(**{name: sum(row[name] for row in self.rows) for name in Stock.model_fields})


@dataclass(frozen=True, slots=True)
class StoredItem:
    """An item as read, with its stock rows and the counters that conditions need."""

    item: Item
    versions: Versions
    stock_rows: StockRows

    @classmethod
    def from_rows(cls, rows: Sequence[Row]) -> "StoredItem":
        """Join an item's rows: its own, then its stock rows by shard. Raises Stale if they do not belong together.

        A Query is read-committed: it may show some rows of an edit or a split and not yet the others. After either,
        the first stock row says how many stock rows there are, and all of them count the item's edits.
        """
        row, *stock = rows
        if row["type"] != "item" or not stock or stock[0].get("shard_rows") != len(stock):
            raise Stale
        if any(each["edits"] != row["edits"] for each in stock):
            raise Stale
        return stored_item(row, stock)

    def edited(self, at: datetime, **changes: Any) -> "StoredItem":
        """Return the item after one more edit."""
        versions = Versions(self.versions.edits + 1, self.versions.stock, self.versions.stock)
        update = changes | {"version": versions.shown, "updated_at": at}
        return StoredItem(self.item.model_copy(update=update), versions, self.stock_rows)


def stored_item(row: Row, stock: Sequence[Row]) -> StoredItem:
    """Return what an item's row and its stock rows say; `stock` is by shard."""
    stock_rows = StockRows(tuple(stock))
    changes, at_edit = (sum(each[name] for each in stock) for name in ("changes", "changes_at_edit"))
    versions = Versions(row["edits"], changes, at_edit)
    item = Item(
        **_shown(row["head"])
        | {
            "description": row.get("description"),
            "attributes": json.loads(row["attributes"]),
            "stock": stock_rows.stock,
            "version": versions.shown,
        }
    )
    return StoredItem(item, versions, stock_rows)


def item_to_row(tenant: str, item: Item, versions: Versions) -> Row:
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


def stock_to_row(tenant: str, item: Item) -> Row:
    """Return the first stock row of an item."""
    return _stock_row(keys.stock(tenant, item.id), item, 1, item.stock) | {
        "shard_count": 1,
        "shard_rows": 1,
        "stock_events": 0,
        "received": item.stock.on_hand if item.stock else 0,
    }


def shard_to_row(tenant: str, stored: StoredItem, shard: int, units: int) -> Row:
    """Return the row of a new shard with some units."""
    stock = Stock(on_hand=units, reserved=0, available=units)
    return _stock_row(keys.stock(tenant, stored.item.id, shard), stored.item, stored.versions.edits, stock)


def _stock_row(key: Key, item: Item, edits: int, stock: Stock | None) -> Row:
    counts = stock.model_dump() if stock else {}
    return new_row(key, "stock", edits=edits, changes=0, changes_at_edit=0, **for_sale(item), **counts)


def summary_from_row(row: Row) -> ItemSummary:
    """Return an item as lists show it."""
    return ItemSummary(**_shown(row["head"]))


def _shown(head: Row) -> dict[str, Any]:
    """Return the fields of a summary."""
    fields = dict(head)
    fields["price"] = Money.of_minor(head["price"], fields.pop("currency"))
    return fields
