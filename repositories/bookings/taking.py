"""Steps that put a booking into the calendar."""

from domain.bookings.calendar import MAX_PAGES
from domain.bookings.hours import Span
from domain.bookings.resources import Resource
from domain.bookings.slots import around, slot_taken
from domain.common.errors import InvalidState, SlotTaken
from repositories.bookings.calendar import Calendar, entries_between
from repositories.bookings.rows import StoredBooking
from repositories.dynamodb.keys import Key
from repositories.dynamodb.session import Session
from repositories.dynamodb.transaction import Stale, WriteTransaction


def take(
    tx: WriteTransaction,
    session: Session,
    resource: Resource,
    wanted: StoredBooking,
    before: StoredBooking | None = None,
) -> None:
    """Add the steps that put a booking into the calendar, and remove it from where it was before.

    Fewer units at the same place are always free. Raises SlotTaken, InvalidState if the steps are too many; Stale, as
    the steps do on a conflict.
    """
    booking, calendar = wanted.booking, Calendar(session)
    calendar.read([wanted.place, *([before.place] if before else ())])
    is_less = before is not None and before.place == wanted.place and booking.units <= before.booking.units
    free = calendar.free(wanted.place, resource.capacity, booking.id)
    if free < booking.units and not is_less:
        _require_current(session, calendar, wanted)
        raise _refusal(session, resource, wanted, max(0, free))
    if before:
        calendar.give_back(before.place, booking.id)
    calendar.take(wanted.place, wanted.entry)
    if calendar.changed > MAX_PAGES:
        raise InvalidState("It cannot be moved that far at once: cancel it, and book anew.")
    calendar.add_to(tx)


def _require_current(session: Session, calendar: Calendar, wanted: StoredBooking) -> None:
    """Raise Stale unless the pages were read as they are at one moment: a refusal is kept for its key."""
    pages = {page.key(session.tenant): page for page in wanted.place.pages}
    rows = session.table.snapshot([*pages])
    versions = {Key(row["pk"], row["sk"]): row["version"] for row in rows or ()}
    if rows is None or any(versions.get(key, 0) != calendar.version(page) for key, page in pages.items()):
        raise Stale


def _refusal(session: Session, resource: Resource, wanted: StoredBooking, free: int) -> SlotTaken:
    """Return the error of a time that is taken, with the nearest free ones."""
    booking = wanted.booking
    during, searched = booking.during, around(resource, booking.during)
    looked_at = resource.occupied(Span(searched.start, searched.end + (during.end - during.start)))
    entries = entries_between(session, wanted.place._replace(occupied=looked_at))
    others = (each for each in entries if each.booking_id != booking.id)
    return slot_taken(resource, others, during, booking.units, free, session.at)
