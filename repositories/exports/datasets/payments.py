"""Payments, which are found by way of their orders."""

from collections.abc import Iterable
from datetime import timedelta
from itertools import batched

from pydantic import MISSING

from domain.common.environment import in_parallel
from domain.common.model import to_rfc3339
from domain.payments.payment import Payment
from repositories.dynamodb import keys
from repositories.dynamodb.codec import Row
from repositories.dynamodb.keys import Key
from repositories.exports.datasets.records import Column, Kind, Reader, Record, Source
from repositories.exports.walking import Stretch
from repositories.orders.rows import COLLECTION, StoredOrder
from repositories.payments.reading import payments_of_order, rows_of_order

_AT_ONCE = 8
_OLDEST_ORDER = timedelta(days=8)
"""Age up to which orders are paid: they hold their stock for a day at most, and a week more while a payment is open."""


def _records(source: Source, stretch: Stretch) -> Iterable[Record]:
    session = source.session

    def read(row: Row) -> list[Payment]:
        return session.retry_on_conflict(lambda: _payments(source, Key(row["pk"], row["sk"])))

    for rows in batched(stretch.rows, _AT_ONCE, strict=False):
        for payments in in_parallel(read, rows):
            yield from (_record(source, each) for each in payments if _is_wanted(source, each))


def _payments(source: Source, key: Key) -> list[Payment]:
    row, listed = rows_of_order(source.session, key)
    if row is None:
        return []
    stored = StoredOrder.from_row(row)
    return [each.shown(stored.order) for each in payments_of_order(source.session, stored, listed)]


def _is_wanted(source: Source, payment: Payment) -> bool:
    start, end = source.export.start, source.export.end
    return source.wants(payment.status) and (start is None or start <= payment.created_at) and payment.created_at < end


def _record(source: Source, payment: Payment) -> Record:
    return (
        payment.id,
        payment.order_id,
        payment.provider,
        payment.status,
        payment.amount.decimal,
        payment.amount.currency,
        payment.reference,
        None if payment.failure is MISSING else payment.failure,
        payment.transaction_id,
        to_rfc3339(payment.created_at),
        to_rfc3339(payment.updated_at),
        payment.version,
        source.exported_at,
    )


PAYMENTS = Reader(
    columns=(
        Column("payment_id"),
        Column("order_id"),
        Column("provider"),
        Column("status"),
        Column("amount", Kind.MONEY),
        Column("currency"),
        Column("reference"),
        Column("failure"),
        Column("transaction_id"),
        Column("created_at", Kind.TIME),
        Column("updated_at", Kind.TIME),
        Column("version", Kind.NUMBER),
        Column("exported_at", Kind.TIME),
    ),
    collections=(COLLECTION,),
    records=_records,
    events=frozenset({"OrderPlaced"}),
    key=keys.order,
    earlier=_OLDEST_ORDER,
)
