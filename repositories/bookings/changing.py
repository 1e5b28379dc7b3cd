"""Steps and events of changes of bookings."""

from typing import Any

from domain.bookings.booking import Booking
from domain.common.errors import InvalidState
from domain.common.events import DomainEvent
from domain.common.model import to_rfc3339
from repositories.bookings import keys
from repositories.bookings.calendar import Calendar, entries_of
from repositories.bookings.rows import StoredBooking
from repositories.dynamodb.keys import Key
from repositories.dynamodb.session import Session
from repositories.dynamodb.transaction import Stale, WriteTransaction


def change_booking(tx: WriteTransaction, tenant: str, before: StoredBooking, after: StoredBooking) -> None:
    """Add the step that changes a booking. It raises Stale on a conflict."""
    tx.put(
        "change the booking",
        after.to_row(tenant),
        condition="version = :seen",
        raises=Stale(),
        seen=before.booking.version,
    )


def require_on_pages(session: Session, calendar: Calendar, stored: StoredBooking) -> None:
    """Raise InvalidState if a hold has ended and was dropped: at one moment, a page did not have the booking any more.

    Raises Stale if the pages were read before its last change was visible, or it was changed since.
    """
    if calendar.holds(stored.place, stored.entry):
        return
    key = keys.booking(session.tenant, stored.booking.id)
    pages = [page.key(session.tenant) for page in stored.place.pages]
    rows = {Key(row["pk"], row["sk"]): row for row in session.table.snapshot([key, *pages]) or ()}
    is_same = key in rows and rows[key]["version"] == stored.booking.version
    if not is_same or all(page in rows and stored.entry in entries_of(rows[page]) for page in pages):
        raise Stale
    raise InvalidState(f"The hold of {stored.booking.id} has ended, and the time may be taken.")


def booking_event(booking: Booking, what: str) -> DomainEvent:
    """Return the event of a change of a booking, such as `Confirmed`. Its data are what it is like afterwards."""
    data: dict[str, Any] = {
        "status": booking.status.value,
        "resource_id": booking.resource_id,
        "starts_at": to_rfc3339(booking.starts_at),
        "ends_at": to_rfc3339(booking.ends_at),
        "units": booking.units,
        "order_id": booking.order_id,
    }
    return DomainEvent(f"Booking{what}", booking.id, booking.version, data, booking.updated_at)
