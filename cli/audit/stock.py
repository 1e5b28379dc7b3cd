"""Audit of items and their stock: rows agree with each other, and with the units that orders reserved and shipped."""

from collections.abc import Iterator, Sequence

from cli.audit.reading import Reading, broken_unless, require_listed
from cli.audit.state import BrokenError
from repositories.dynamodb import keys
from repositories.dynamodb.codec import Row
from repositories.dynamodb.keys import Key
from repositories.items.rows import COLLECTIONS, for_sale, item_to_row, stored_item


def check_stock(reading: Reading) -> Iterator[None]:
    """Check every item, and record those that differ from the orders."""
    known = set(reading.state.reserved) | set(reading.state.shipped)
    for collection in COLLECTIONS.values():
        for rows in reading.listed(collection):
            for row in rows:
                _compare(reading, row["head"]["id"])
                yield
    # Items in orders but in no list: the index may be behind, or the item has left the list since.
    for item_id in sorted(known):
        if not reading.table.get(keys.item(reading.tenant, item_id)):
            raise BrokenError(f"Orders have units of item {item_id}, which is not there.")
        _compare(reading, item_id)


def _compare(reading: Reading, item_id: str) -> None:
    differs = stock_difference(reading, item_id)
    if differs:
        reading.state.differing[item_id] = differs


def stock_changes(reading: Reading, item_id: str) -> list[int]:
    """Return the change counters of an item's shards."""
    return [row["changes"] for row in _checked(reading, item_id)]


def stock_difference(reading: Reading, item_id: str) -> str:
    """Return the difference between an item's stock and the orders, or an empty string."""
    stock = _checked(reading, item_id)
    if "on_hand" not in stock[0]:
        return ""
    reserved = {str(shard): row["reserved"] for shard, row in enumerate(stock) if row["reserved"]}
    held = reading.state.reserved.get(item_id, {})
    for shard in sorted(reserved | held):
        if reserved.get(shard, 0) != held.get(shard, 0):
            there = f"{reserved.get(shard, 0)} units are reserved" if int(shard) < len(stock) else "it is not there"
            return f"shard {shard}: {there}, and orders hold {held.get(shard, 0)}"
    received, shipped = stock[0].get("received"), reading.state.shipped.get(item_id, 0)
    on_hand = sum(row["on_hand"] for row in stock)
    if received is not None and on_hand + shipped != received:
        return f"{on_hand} units are on hand and {shipped} were shipped, and {received} came in"
    return ""


def _checked(reading: Reading, item_id: str) -> list[Row]:
    """Return an item's stock rows as of one moment. Raises BrokenError if they do not agree with each other."""
    stock: list[Row] = []

    def look() -> None:
        stock[:] = _rows(reading, item_id)

    reading.require(look)
    return stock


def _rows(reading: Reading, item_id: str) -> list[Row]:
    key = keys.item(reading.tenant, item_id)
    seen = [Key(row["pk"], row["sk"]) for row in reading.table.partition(key.pk)]
    sku = next((row["sku"] for row in reading.table.batch_get([keys.stock(reading.tenant, item_id)]).values()), None)
    markers = [keys.sku(reading.tenant, sku)] if sku else []
    rows = reading.together([*seen, *markers])
    broken_unless(key in rows, f"Item {item_id} is listed and not there.")
    marker = rows.pop(markers[0], None) if markers else None
    item, *stock = rows.values()
    _check_item(reading, item, stock)
    taken = item["head"]["sku"] is None or (marker or {}).get("item_id") == item_id
    broken_unless(taken, f"Item {item_id}: its SKU is not marked as its own.")
    return stock


def _check_item(reading: Reading, item: Row, stock: Sequence[Row]) -> None:
    name = f"Item {item['head']['id']}"
    expected = stock[0]["bucket_rows"] if stock else 1
    broken_unless(len(stock) == expected, f"{name} has {len(stock)} stock rows, and should have {expected}.")
    stored = stored_item(item, stock)
    require_listed(item, item_to_row(reading.tenant, stored.item, stored.versions), name)
    sold = for_sale(stored.item)
    for shard, row in enumerate(stock):
        where = f"{name}, shard {shard}"
        broken_unless(row["edits"] == item["edits"], f"{where} has not followed the item's edits.")
        broken_unless({each: row[each] for each in sold} == sold, f"{where} sells something else than the item.")
        _check_units(where, row)


def _check_units(where: str, row: Row) -> None:
    if "on_hand" in row:
        on_hand, reserved, available = (row[name] for name in ("on_hand", "reserved", "available"))
        adds_up = available == on_hand - reserved and 0 <= reserved <= on_hand
        broken_unless(adds_up, f"{where}: {on_hand} - {reserved} is not {available}.")
