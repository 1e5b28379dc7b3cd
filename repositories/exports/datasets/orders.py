"""Orders, and their lines."""

from collections.abc import Iterable, Iterator

from domain.common.model import to_rfc3339
from domain.orders.order import Order
from repositories.dynamodb import keys
from repositories.exports.datasets.records import Column, Kind, Reader, Record, Source
from repositories.exports.walking import Stretch
from repositories.orders.rows import COLLECTION, StoredOrder


def _orders(source: Source, stretch: Stretch) -> Iterator[Order]:
    """Yield the wanted orders among the rows of the list; their status is that of the index, and then their own."""
    for row in source.whole_rows(row for row in stretch.rows if source.wants(row["head"]["status"])):
        order = StoredOrder.from_row(row).order
        if source.wants(order.status):
            yield order


def _orders_records(source: Source, stretch: Stretch) -> Iterable[Record]:
    for order in _orders(source, stretch):
        yield (
            order.id,
            order.customer_id,
            f"{order.created_at:%Y-%m-%d}",
            order.total.decimal,
            order.total.currency,
            order.status.value,
            [{"product_id": line.item_id, "quantity": line.quantity} for line in order.lines],
            to_rfc3339(order.created_at),
            to_rfc3339(order.updated_at),
            order.version,
            source.exported_at,
        )


def _line_records(source: Source, stretch: Stretch) -> Iterable[Record]:
    for order in _orders(source, stretch):
        for number, line in enumerate(order.lines, start=1):
            yield (
                order.id,
                number,
                order.customer_id,
                f"{order.created_at:%Y-%m-%d}",
                order.status.value,
                line.item_id,
                line.sku,
                line.name,
                line.quantity,
                line.shipped,
                line.returned,
                line.unit_price.decimal,
                line.total.decimal,
                line.discount.decimal,
                line.tax_rate,
                line.tax.decimal,
                order.total.currency,
                order.version,
                source.exported_at,
            )


ORDERS = Reader(
    columns=(
        Column("order_id"),
        Column("customer_id"),
        Column("order_date", Kind.DAY),
        Column("total_amount", Kind.MONEY),
        Column("currency"),
        Column("status"),
        Column("items", Kind.ITEMS),
        Column("created_at", Kind.TIME),
        Column("updated_at", Kind.TIME),
        Column("version", Kind.NUMBER),
        Column("exported_at", Kind.TIME),
    ),
    collections=(COLLECTION,),
    records=_orders_records,
    events=frozenset({"OrderPlaced"}),
    key=keys.order,
)
ORDER_LINES = Reader(
    columns=(
        Column("order_id"),
        Column("line", Kind.NUMBER),
        Column("customer_id"),
        Column("order_date", Kind.DAY),
        Column("status"),
        Column("product_id"),
        Column("sku"),
        Column("name"),
        Column("quantity", Kind.NUMBER),
        Column("shipped", Kind.NUMBER),
        Column("returned", Kind.NUMBER),
        Column("unit_price", Kind.MONEY),
        Column("total", Kind.MONEY),
        Column("discount", Kind.MONEY),
        Column("tax_rate", Kind.RATE),
        Column("tax", Kind.MONEY),
        Column("currency"),
        Column("version", Kind.NUMBER),
        Column("exported_at", Kind.TIME),
    ),
    collections=(COLLECTION,),
    records=_line_records,
    events=frozenset({"OrderPlaced"}),
    key=keys.order,
)
