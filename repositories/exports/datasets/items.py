"""Items of the catalogue, with their stock."""

from collections.abc import Iterable
from itertools import batched

from domain.common.environment import in_parallel
from domain.common.model import attributes_json, to_rfc3339
from domain.items import Item, ItemStatus
from repositories.dynamodb import keys
from repositories.exports.datasets.records import Column, Kind, Reader, Record, Source
from repositories.exports.walking import Stretch
from repositories.items.repository import ItemRepository
from repositories.items.rows import COLLECTIONS

_AT_ONCE = 8


def _records(source: Source, stretch: Stretch) -> Iterable[Record]:
    items = ItemRepository(source.session)
    wanted = [row["head"]["id"] for row in stretch.rows if source.wants(row["head"]["status"])]
    for some in batched(wanted, _AT_ONCE, strict=False):
        for item in in_parallel(items.get, some):
            if source.wants(item.status):
                yield _record(source, item)


def _record(source: Source, item: Item) -> Record:
    stock = item.stock
    return (
        item.id,
        item.sku,
        item.name,
        item.description,
        item.price.decimal,
        item.price.currency,
        item.tax_class,
        item.status.value,
        stock.on_hand if stock else None,
        stock.reserved if stock else None,
        stock.available if stock else None,
        attributes_json(item.attributes),
        to_rfc3339(item.created_at),
        to_rfc3339(item.updated_at),
        item.version,
        source.exported_at,
    )


ITEMS = Reader(
    columns=(
        Column("item_id"),
        Column("sku"),
        Column("name"),
        Column("description"),
        Column("price", Kind.MONEY),
        Column("currency"),
        Column("tax_class"),
        Column("status"),
        Column("on_hand", Kind.NUMBER),
        Column("reserved", Kind.NUMBER),
        Column("available", Kind.NUMBER),
        Column("attributes"),
        Column("created_at", Kind.TIME),
        Column("updated_at", Kind.TIME),
        Column("version", Kind.NUMBER),
        Column("exported_at", Kind.TIME),
    ),
    collections=(COLLECTIONS[ItemStatus.ACTIVE], COLLECTIONS[ItemStatus.ARCHIVED]),
    records=_records,
    events=frozenset({"ItemCreated", "ItemArchived"}),
    key=keys.item,
)
