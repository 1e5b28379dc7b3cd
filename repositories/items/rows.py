"""Rows of an item: the item row, and stock rows with the units and what placing an order needs to know."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.common.model import attributes_json, to_rfc3339
from domain.common.money import Money
from domain.common.versions import Versions
from domain.items import Item, ItemStatus, ItemSummary
from domain.stock import Stock
from domain.tax import STANDARD_TAX
from repositories.dynamodb import keys
from repositories.dynamodb.codec import Row, new_row
from repositories.dynamodb.keys import Key, Position
from repositories.dynamodb.transaction import Stale

COLLECTIONS = {ItemStatus.ACTIVE: "ITEM", ItemStatus.ARCHIVED: "ITEM_ARCHIVED"}
"""List of each status. Archiving is rare, so it moves an item to another list, and neither list needs a filter."""


@dataclass(frozen=True, slots=True)
class StockRows:
    """An item's stock rows as read, by shard. The first one has the number of shards over which units are spread."""

    rows: tuple[Row, ...]

    @property
    def shards(self) -> int:
        """Number of shards over which units are spread; further rows have only units that were reserved before."""
        return int(self.rows[0]["bucket_count"])

    @property
    def sequence(self) -> int:
        """Sequence number of the item's own stock events; order events are counted on orders."""
        return int(self.rows[0]["stock_events"])

    @property
    def changed_at(self) -> datetime | None:
        """Time of the item's last own stock event, if it has one."""
        at = self.rows[0].get("stock_event_at")
        return datetime.fromisoformat(at) if at else None

    @property
    def received(self) -> int | None:
        """Units received less units removed by adjustments: equal to units on hand plus units shipped.

        None for an item without this counter from the beginning.
        """
        received: int | None = self.rows[0].get("received")
        return received

    @property
    def counted(self) -> bool:
        """True if units are counted."""
        return "on_hand" in self.rows[0]

    @property
    def available(self) -> list[int]:
        """Available units by shard."""
        return [row["available"] for row in self.rows]

    @property
    def stock(self) -> Stock | None:
        """Sum of all shards, or None if units are not counted."""
        if not self.counted:
            return None
        return Stock(**{name: sum(row[name] for row in self.rows) for name in Stock.model_fields})


@dataclass(frozen=True, slots=True)
class StoredItem:
    """An item as it is stored, with its stock rows and the counters that conditions need."""

    item: Item
    versions: Versions
    stock_rows: StockRows

    @classmethod
    def from_rows(cls, rows: Sequence[Row]) -> "StoredItem":
        """Return the item of its row and, by shard, its stock rows. Raises Stale if they do not belong together.

        A Query is read-committed: it may return some rows of an edit or a split as changed and others as not. After
        either, the first stock row has the number of stock rows, and all of them have the item's number of edits.
        """
        row, *stock = rows
        if row["type"] != "item" or not stock or stock[0].get("bucket_rows") != len(stock):
            raise Stale
        if any(each["edits"] != row["edits"] for each in stock):
            raise Stale
        return stored_item(row, stock)

    def edited(self, at: datetime, **changes: Any) -> "StoredItem":
        """Return the item after one more edit."""
        versions = self.versions.edited()
        update = changes | {"version": versions.shown, "updated_at": max(at, self.item.updated_at)}
        return StoredItem(self.item.model_copy(update=update), versions, self.stock_rows)


def stored_item(row: Row, stock: Sequence[Row]) -> StoredItem:
    """Return the item of its row and its stock rows; `stock` is in the order of shards."""
    stock_rows = StockRows(tuple(stock))
    changes, at_edit = (sum(each[name] for each in stock) for name in ("changes", "changes_at_edit"))
    versions = Versions(row["edits"], changes, at_edit)
    item = Item(
        **_shown(row["head"])
        | {
            "description": row.get("description"),
            "attributes": json.loads(row["attributes"]),
            "tax_class": row.get("tax_class", STANDARD_TAX),
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
        "version": versions.edits + versions.changes_at_edit,
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
        tax_class=item.tax_class,
        **keys.listed(tenant, COLLECTIONS[item.status], at),
    )


def for_sale(item: Item) -> dict[str, Any]:
    """Return the attributes of an item that are needed to place an order."""
    return {
        "item_name": item.name,
        "sku": item.sku,
        "price": item.price.minor,
        "currency": item.price.currency,
        "sellable": item.status is ItemStatus.ACTIVE,
        "tax_class": item.tax_class,
    }


def stock_to_row(tenant: str, item: Item) -> Row:
    """Return the first stock row of an item."""
    return _stock_row(keys.stock(tenant, item.id), item, 1, item.stock) | {
        "bucket_count": 1,
        "bucket_rows": 1,
        "stock_events": 0,
        "received": item.stock.on_hand if item.stock else 0,
    }


def is_whole(row: Row | None) -> bool:
    """Return whether a first stock row has all of its item's stock."""
    return row is not None and row.get("bucket_rows") == 1


def shard_to_row(tenant: str, stored: StoredItem, shard: int, units: int) -> Row:
    """Return the row of a new shard with `units` available units."""
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
