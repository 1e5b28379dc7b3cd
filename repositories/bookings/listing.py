"""Lists of bookings: all of a tenant or customer by creation, or those in the calendar of a resource by time."""

from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import batched

from domain.bookings.booking import Booking
from domain.bookings.calendar import Entry, seconds
from domain.bookings.status import ON_PAGES
from domain.common.pages import Page, PageRequest
from domain.common.times import TimeRange
from repositories.bookings import keys as booking_keys
from repositories.bookings.calendar import entries_of
from repositories.bookings.rows import StoredResource, booking_from_row
from repositories.dynamodb.codec import Row
from repositories.dynamodb.session import Session
from repositories.paging.cursors import seal, unseal
from repositories.paging.lists import MAX_EXAMINED, Listing, list_page

_AT_ONCE = 100


def by_creation(session: Session, page: PageRequest, customer_id: str | None, during: TimeRange) -> Page[Booking]:
    """Return a page of the bookings that a time touches, optionally only of one customer. Raises CursorInvalid."""
    shows, query = _touching(during), f"?{during.start}&{during.end}"
    if customer_id is None:
        listing = Listing.of_all(session, booking_keys.BOOKINGS, shows, query=query)
    else:
        pk = booking_keys.customers_bookings(session.tenant, customer_id)
        listing = Listing(session.table, "gsi2", [pk], f"{pk}{query}", shows)
    rows, cursor = list_page(listing, page)
    return Page(items=[booking_from_row(row) for row in rows], next_cursor=cursor)


def _touching(during: TimeRange) -> Callable[[Row], bool] | None:
    if during.start is None and during.end is None:
        return None
    return lambda row: _touches(booking_from_row(row), during)


def _touches(booking: Booking, during: TimeRange) -> bool:
    starts_in_time = during.end is None or booking.starts_at < during.end
    return starts_in_time and (during.start is None or during.start < booking.ends_at)


def in_calendar(
    session: Session, page: PageRequest, stored: StoredResource, customer_id: str | None, during: TimeRange
) -> Page[Booking]:
    """Return a page of the bookings that take a resource's time, the first one first. Raises CursorInvalid.

    They are found on the pages of the calendar that the time touches, so those that were cancelled are not among them.
    """
    resource_id = stored.resource.id
    query = f"{session.tenant}\n{resource_id}?{customer_id}&{during.start}&{during.end}"
    last = unseal(page.cursor, query) if page.cursor else ""
    found: list[Booking] = []
    examined = 0
    for entries in batched(_entries(session, stored, during, last), _AT_ONCE, strict=False):
        wanted = {each: booking_keys.booking(session.tenant, each.booking_id) for each in entries}
        rows = session.table.batch_get(wanted.values())
        for entry, key in wanted.items():
            booking = booking_from_row(rows[key]) if key in rows else None
            is_shown = booking is not None and _is_shown(booking, customer_id, during, session.at)
            if examined == MAX_EXAMINED or (is_shown and len(found) == page.limit):
                return Page(items=found, next_cursor=seal(last, query))
            if booking and is_shown:
                found.append(booking)
            last, examined = _position(entry), examined + 1
    return Page(items=found, next_cursor=None)


def _is_shown(booking: Booking, customer_id: str | None, during: TimeRange, at: datetime) -> bool:
    takes_time = booking.status in ON_PAGES and not booking.is_lapsed(at)
    return takes_time and customer_id in {None, booking.customer_id} and _touches(booking, during)


def _entries(session: Session, stored: StoredResource, during: TimeRange, after: str) -> Iterator[Entry]:
    """Yield the entries of the pages that a time touches, each once and in order, those after a position."""
    tenant, resource_id = session.tenant, stored.resource.id
    begins = max(seconds(during.start) if during.start else 0, booking_keys.start_of(after))
    pk, first = booking_keys.page(tenant, resource_id, stored.page_at(begins))
    ends = seconds(during.end) if during.end else None
    if ends is not None and ends <= begins:
        return
    until = booking_keys.last_page(tenant, resource_id)
    if ends is not None:
        until = booking_keys.page(tenant, resource_id, stored.page_at(ends))
    values = {":pk": pk, ":first": first, ":last": until.sk}
    known = set[str]()
    for row in session.table.every("pk = :pk AND sk BETWEEN :first AND :last", values):
        entries = [*entries_of(row)]
        found = [each for each in entries if each.booking_id not in known and _position(each) > after]
        yield from sorted(found, key=_position)
        known = {each.booking_id for each in entries}


def _position(entry: Entry) -> str:
    return booking_keys.entry_position(entry.start, entry.booking_id)
