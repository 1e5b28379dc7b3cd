"""Bookings of resources."""

from collections.abc import Iterable

from domain.bookings.booking import Booking
from domain.common.model import to_rfc3339
from repositories.bookings import keys
from repositories.bookings.rows import booking_from_row
from repositories.exports.datasets.records import Column, Kind, Reader, Record, Source
from repositories.exports.walking import Stretch


def _records(source: Source, stretch: Stretch) -> Iterable[Record]:
    bookings = (booking_from_row(row) for row in source.whole_rows(stretch.rows))
    return (_record(source, each) for each in bookings if source.wants(each.status))


def _record(source: Source, booking: Booking) -> Record:
    return (
        booking.id,
        booking.resource_id,
        booking.customer_id,
        to_rfc3339(booking.starts_at),
        to_rfc3339(booking.ends_at),
        booking.units,
        booking.status.value,
        booking.price and booking.price.decimal,
        booking.price and booking.price.currency,
        booking.order_id,
        booking.note,
        to_rfc3339(booking.created_at),
        to_rfc3339(booking.updated_at),
        booking.version,
        source.exported_at,
    )


BOOKINGS = Reader(
    columns=(
        Column("booking_id"),
        Column("resource_id"),
        Column("customer_id"),
        Column("starts_at", Kind.TIME),
        Column("ends_at", Kind.TIME),
        Column("units", Kind.NUMBER),
        Column("status"),
        Column("price", Kind.MONEY),
        Column("currency"),
        Column("order_id"),
        Column("note"),
        Column("created_at", Kind.TIME),
        Column("updated_at", Kind.TIME),
        Column("version", Kind.NUMBER),
        Column("exported_at", Kind.TIME),
    ),
    collections=(keys.BOOKINGS,),
    records=_records,
    events=frozenset({"BookingHeld", "BookingConfirmed"}),
    key=keys.booking,
)
