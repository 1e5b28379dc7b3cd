"""Audit of bookings against the pages of calendars, and against the orders that they belong to."""

from collections.abc import Iterator
from functools import partial
from itertools import batched

from cli.audit.reading import Reading, broken_unless, require_listed
from domain.bookings.booking import Booking
from domain.bookings.calendar import counting, peak, seconds
from domain.bookings.status import ON_PAGES, BookingStatus
from domain.common.environment import now
from domain.orders.status import ENDED_UNPAID, OrderStatus
from repositories.bookings import keys as booking_keys
from repositories.bookings.calendar import entries_of
from repositories.bookings.rows import StoredBooking, StoredResource
from repositories.dynamodb import keys
from repositories.dynamodb.keys import Key
from repositories.orders.rows import StoredOrder

_AT_ONCE = 90
"""Bookings that are read together with a page."""
_USED = {BookingStatus.CHECKED_IN, BookingStatus.DONE, BookingStatus.NO_SHOW}


def check_bookings(reading: Reading) -> Iterator[None]:
    """Check every booking: it is on its pages, or on none, and its order has it."""
    for rows in reading.listed(booking_keys.BOOKINGS):
        for row in rows:
            reading.require(partial(_check_booking, reading, row["head"]["id"]))
            yield


def check_calendars(reading: Reading) -> Iterator[None]:
    """Check every page of every resource: no instant has more units than the resource ever had, and no strangers."""
    for rows in reading.listed(booking_keys.RESOURCES):
        for row in rows:
            resource_id = row["head"]["id"]
            pk, last = booking_keys.last_page(reading.tenant, resource_id)
            values = {":pk": pk, ":first": "PAGE#", ":last": last}
            for page in reading.table.every("pk = :pk AND sk BETWEEN :first AND :last", values):
                reading.require(partial(_check_page, reading, resource_id, Key(page["pk"], page["sk"])))
                yield


def _check_booking(reading: Reading, booking_id: str) -> None:
    name, key = f"Booking {booking_id}", booking_keys.booking(reading.tenant, booking_id)
    row = reading.table.get(key)
    broken_unless(row, f"{name} is listed and not there.")
    stored = StoredBooking.from_row(row or {})
    pages = [page.key(reading.tenant) for page in stored.place.pages]
    order_key = keys.order(reading.tenant, stored.booking.order_id or "")
    rows = reading.together([key, *pages, order_key])
    broken_unless(rows[key] == row, f"{name} has changed.")
    require_listed(rows[key], stored.to_row(reading.tenant), name)
    if stored.booking.order_id:
        order = StoredOrder.from_row(rows[order_key]).order if order_key in rows else None
        has_it = order is not None and booking_id in order.booking_ids
        broken_unless(has_it, f"{name} names an order that does not have it.")
        if order:
            _check_status(stored.booking, order.status, name)
    at = seconds(now())
    found = [each for page in pages if page in rows for each in entries_of(rows[page]) if each.booking_id == booking_id]
    if stored.booking.status not in ON_PAGES:
        takes = any(each.counts(at) for each in found)
        broken_unless(not takes, f"{name} is {stored.booking.status} and takes its time.")
    elif stored.entry.counts(at):
        broken_unless(found == [stored.entry] * len(pages), f"{name} is not on all pages of its time as it is.")


def _check_status(booking: Booking, order: OrderStatus, name: str) -> None:
    if order is OrderStatus.PENDING:
        fits = booking.status is BookingStatus.HELD
    elif order in ENDED_UNPAID:
        fits = booking.status in {BookingStatus.CANCELLED, BookingStatus.EXPIRED}
    elif order is OrderStatus.REFUNDED:
        fits = booking.status in {BookingStatus.CANCELLED, *_USED}
    else:
        fits = booking.status in {BookingStatus.CONFIRMED, BookingStatus.CANCELLED, *_USED}
    broken_unless(fits, f"{name} is {booking.status}, and its order {order}.")


def _check_page(reading: Reading, resource_id: str, key: Key) -> None:
    name, owner = f"Page {key.sk} of {resource_id}", booking_keys.resource(reading.tenant, resource_id)
    rows = reading.together([owner, key])
    broken_unless(owner in rows and key in rows, f"{name} is listed and not there.")
    entries = [*counting(entries_of(rows[key]), seconds(now()))]
    stored = StoredResource.from_row(rows[owner])
    if entries:
        most = peak(entries, min(each.start for each in entries), max(each.end for each in entries))
        broken_unless(most <= stored.most, f"{name} has more units than there are.")
    for some in batched(entries, _AT_ONCE, strict=False):
        by_key = {booking_keys.booking(reading.tenant, each.booking_id): each for each in some}
        known = reading.together([key, *by_key])
        broken_unless(known.get(key) == rows[key], f"{name} has changed.")
        for booking_key, entry in by_key.items():
            booking = StoredBooking.from_row(known[booking_key]) if booking_key in known else None
            same = booking is not None and booking.entry == entry and _is_place_of(booking, key, reading.tenant)
            broken_unless(same, f"{name} has {entry.booking_id}, which is elsewhere.")


def _is_place_of(booking: StoredBooking, key: Key, tenant: str) -> bool:
    return key in {page.key(tenant) for page in booking.place.pages}
