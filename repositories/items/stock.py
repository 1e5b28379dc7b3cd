"""Steps on stock rows: what becomes of an item's units, bucket by bucket."""

from collections.abc import Iterable
from typing import Any

from domain.buckets import level
from domain.orders import Hold, StockEffect
from repositories.dynamodb import keys
from repositories.dynamodb.transaction import Stale, Transaction
from repositories.items.rows import StoredItem, bucket_row, for_sale

_EFFECTS = {
    StockEffect.HOLD: "SET reserved = reserved + :units, available = available - :units, changes = changes + :one",
    StockEffect.RELEASE: "SET reserved = reserved - :units, available = available + :units, changes = changes + :one",
    StockEffect.TAKE: "SET reserved = reserved - :units, on_hand = on_hand - :units, changes = changes + :one",
}


def hold(tx: Transaction, tenant: str, wanted: Hold, edits: int) -> None:
    """Add the step that reserves units for an order, if they are there and the item is as read after `edits` edits.

    Price, name and whether it is sold are the item's, so that an unchanged count of edits is all of them unchanged.
    """
    tx.update(
        "reserve units",
        keys.stock(tenant, wanted.item_id, wanted.bucket),
        _EFFECTS[StockEffect.HOLD],
        condition="edits = :edits AND available >= :units",
        refusal=Stale.because,
        units=wanted.units,
        edits=edits,
        one=1,
    )


def require_unchanged(tx: Transaction, tenant: str, item_id: str, edits: int) -> None:
    """Add the step that sells an item whose units are not counted."""
    tx.check(
        "sell without counting",
        keys.stock(tenant, item_id),
        condition="edits = :edits",
        refusal=Stale.because,
        edits=edits,
    )


def settle(tx: Transaction, tenant: str, holds: Iterable[Hold], effect: StockEffect) -> None:
    """Add the steps that give reserved units back, or take them; that they are reserved is the order's to say."""
    if effect is StockEffect.NONE:
        return
    for each in holds:
        key = keys.stock(tenant, each.item_id, each.bucket)
        tx.update_along(f"{effect.value} units", key, _EFFECTS[effect], units=each.units, one=1)


def tell_stock(tx: Transaction, tenant: str, edited: StoredItem) -> None:
    """Add the steps that tell an item's stock rows of an edit, if there are no more of them than were read."""
    first, *others = (keys.stock(tenant, edited.item.id, bucket) for bucket in range(len(edited.shelf.rows)))
    change = (
        "SET item_name = :item_name, sku = :sku, price = :price, currency = :currency, sellable = :sellable,"
        " edits = :edits, changes_at_edit = changes"
    )
    told = for_sale(edited.item) | {"edits": edited.versions.edits}
    condition = "bucket_rows = :bucket_rows"
    tx.update(
        "tell its stock row",
        first,
        change,
        condition=condition,
        refusal=Stale.because,
        bucket_rows=len(edited.shelf.rows),
        **told,
    )
    for key in others:
        tx.update_along("tell another bucket", key, change, **told)


def level_stock(tx: Transaction, tenant: str, stored: StoredItem, buckets: int, delta: int) -> None:
    """Add the steps that bring `delta` units in (or out) and spread those that are free over `buckets` buckets."""
    shelf = stored.shelf
    rows = max(len(shelf.rows), buckets)
    changes = level([*shelf.available, *[0] * (rows - len(shelf.rows))], delta, buckets)
    received = None if shelf.received is None else shelf.received + delta
    _level_first(tx, tenant, stored, changes[0], received=received, bucket_count=buckets, bucket_rows=rows)
    for bucket, change in enumerate(changes[1:], start=1):
        if bucket >= len(shelf.rows):
            tx.create("open a bucket", bucket_row(tenant, stored, bucket, change), Stale.because)
        elif change > 0:
            tx.update_along("fill a bucket", keys.stock(tenant, stored.item.id, bucket), _LEVEL, delta=change)
        elif change < 0:
            tx.update(
                "draw from a bucket",
                keys.stock(tenant, stored.item.id, bucket),
                _LEVEL,
                condition="available >= :drawn",
                refusal=Stale.because,
                delta=change,
                drawn=-change,
            )


_LEVEL = "SET on_hand = on_hand + :delta, available = available + :delta"


def _level_first(tx: Transaction, tenant: str, stored: StoredItem, delta: int, **told: Any) -> None:
    tx.update(
        "level the first bucket",
        keys.stock(tenant, stored.item.id),
        f"{_LEVEL}, changes = changes + :one, stock_events = :next, received = :received,"
        " bucket_count = :bucket_count, bucket_rows = :bucket_rows",
        condition="stock_events = :seen AND edits = :edits AND available >= :drawn",
        refusal=Stale.because,
        delta=delta,
        drawn=max(0, -delta),
        one=1,
        seen=stored.shelf.sequence,
        next=stored.shelf.sequence + 1,
        edits=stored.versions.edits,
        **told,
    )
