"""Transaction steps on the stock rows of an item."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.common.model import to_rfc3339
from domain.stock import Reservation, UnitChange, rebalance, reserved
from repositories.dynamodb import keys
from repositories.dynamodb.transaction import Stale, WriteTransaction
from repositories.items.rows import StoredItem, for_sale, shard_to_row

_CHANGE = (
    "SET on_hand = on_hand + :on_hand, reserved = reserved + :reserved, available = available + :available,"
    " changes = changes + :one"
)


def reserve(tx: WriteTransaction, tenant: str, wanted: Reservation, edits: int) -> None:
    """Add the step that reserves units for an order. It raises Stale if they are not available or `edits` has changed.

    Price, name and status change only by edits of the item, so with an unchanged number of edits they are current.
    """
    tx.update(
        "reserve units",
        keys.stock(tenant, wanted.item_id, wanted.shard),
        _CHANGE,
        condition="edits = :edits AND available >= :units",
        raises=Stale(),
        units=wanted.units,
        edits=edits,
        **_values(reserved(wanted)),
    )


def sell_uncounted(tx: WriteTransaction, tenant: str, item_id: str, edits: int) -> None:
    """Add the step that checks that an item without counted units has not been edited. It raises Stale."""
    tx.check(
        "sell without counting",
        keys.stock(tenant, item_id),
        condition="edits = :edits",
        raises=Stale(),
        edits=edits,
    )


def change_units(tx: WriteTransaction, tenant: str, changes: Iterable[UnitChange]) -> None:
    """Add the steps that release, remove or bring back units of an order, at most one a shard.

    The order's version condition guarantees that the units are reserved, or were removed.
    """
    for each in changes:
        tx.update("change units", keys.stock(tenant, each.item_id, each.shard), _CHANGE, **_values(each))


def _values(change: UnitChange) -> dict[str, Any]:
    return {"on_hand": change.on_hand, "reserved": change.reserved, "available": change.available, "one": 1}


def update_stock_rows(tx: WriteTransaction, tenant: str, edited: StoredItem) -> None:
    """Add the steps that copy an edit to the item's stock rows. They raise Stale if the number of rows has changed."""
    first, *others = (keys.stock(tenant, edited.item.id, shard) for shard in range(len(edited.stock_rows.rows)))
    change = (
        "SET item_name = :item_name, sku = :sku, price = :price, currency = :currency, sellable = :sellable,"
        " tax_class = :tax_class, edits = :edits, changes_at_edit = changes"
    )
    data = for_sale(edited.item) | {"edits": edited.versions.edits}
    condition = "bucket_rows = :bucket_rows"
    tx.update(
        "update its stock row",
        first,
        change,
        condition=condition,
        raises=Stale(),
        bucket_rows=len(edited.stock_rows.rows),
        **data,
    )
    for key in others:
        tx.update("update another shard", key, change, **data)


@dataclass(frozen=True, slots=True)
class Rebalancing:
    """Number of shards over which to spread available units, units to add (negative: remove), and the event's time."""

    shards: int
    delta: int
    at: datetime


def rebalance_stock(tx: WriteTransaction, tenant: str, stored: StoredItem, wanted: Rebalancing) -> None:
    """Add the steps that add units and spread the available ones over shards.

    They raise Stale on a conflict with an edit, another change of the stock, or orders that reserved units to move.
    """
    stock_rows, shards, delta = stored.stock_rows, wanted.shards, wanted.delta
    rows = max(len(stock_rows.rows), shards)
    changes = rebalance([*stock_rows.available, *[0] * (rows - len(stock_rows.rows))], delta, shards)
    received = None if stock_rows.received is None else stock_rows.received + delta
    first = {"received": received, "bucket_count": shards, "bucket_rows": rows, "at": to_rfc3339(wanted.at)}
    _level_first(tx, tenant, stored, changes[0], **first)
    for shard, change in enumerate(changes[1:], start=1):
        if shard >= len(stock_rows.rows):
            tx.create("open a shard", shard_to_row(tenant, stored, shard, change), raises=Stale())
        elif change > 0:
            tx.update("fill a shard", keys.stock(tenant, stored.item.id, shard), _LEVEL, delta=change)
        elif change < 0:
            tx.update(
                "draw from a shard",
                keys.stock(tenant, stored.item.id, shard),
                _LEVEL,
                condition="available >= :drawn",
                raises=Stale(),
                delta=change,
                drawn=-change,
            )


_LEVEL = "SET on_hand = on_hand + :delta, available = available + :delta"


def _level_first(tx: WriteTransaction, tenant: str, stored: StoredItem, delta: int, **changes: Any) -> None:
    tx.update(
        "rebalance the first shard",
        keys.stock(tenant, stored.item.id),
        f"{_LEVEL}, changes = changes + :one, stock_events = :next, received = :received,"
        " bucket_count = :bucket_count, bucket_rows = :bucket_rows, stock_event_at = :at",
        condition="stock_events = :seen AND edits = :edits AND available >= :drawn",
        raises=Stale(),
        delta=delta,
        drawn=max(0, -delta),
        one=1,
        seen=stored.stock_rows.sequence,
        next=stored.stock_rows.sequence + 1,
        edits=stored.versions.edits,
        **changes,
    )
