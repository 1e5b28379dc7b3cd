"""Bookings that are lines of orders: held with it, confirmed when it is paid, freed when it ends or is refunded.

While a booking belongs to an order that is pending, its entries in the calendar do not lapse: as with stock, the end of
the order gives them back.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.bookings.status import BookingStatus
from domain.common.errors import Flaw, InvalidState
from domain.orders.checkout import NewOrder
from domain.orders.order import Order
from domain.orders.quotes import Offer
from domain.orders.status import ENDED_UNPAID, OrderStatus
from repositories.bookings import keys as booking_keys
from repositories.bookings.calendar import Calendar
from repositories.bookings.changing import booking_event, change_booking, require_on_pages
from repositories.bookings.rows import StoredBooking
from repositories.dynamodb.session import Session
from repositories.dynamodb.transaction import Stale, WriteTransaction, require_absent

_UNUSED = {BookingStatus.HELD, BookingStatus.CONFIRMED}
_FREED = {OrderStatus.CANCELLED: BookingStatus.CANCELLED, OrderStatus.EXPIRED: BookingStatus.EXPIRED}


@dataclass(frozen=True, slots=True)
class BookingLines:
    """The bookings that a new order names, by id, and what they are offered for."""

    stored: Mapping[str, StoredBooking]
    offers: Mapping[str, Offer]

    @property
    def most_steps(self) -> int:
        """The most steps by which the bookings are changed later, if each is moved onto pages of its own."""
        return sum(1 + stored.place.most_pages for stored in self.stored.values())

    def hold_with(self, tx: WriteTransaction, session: Session, order: Order) -> None:
        """Add the steps that hold bookings with a new order. They raise Stale on a conflict.

        Raises InvalidState if a hold has ended, Stale.
        """
        calendar = Calendar(session)
        calendar.read(each.place for each in self.stored.values())
        at = _time_of(session.at, self.stored.values())
        for stored in self.stored.values():
            require_on_pages(session, calendar, stored)
            held = stored.booking.changed(at, order_id=order.id, hold_expires_at=None)
            after = stored.with_booking(held)
            calendar.take(after.place, after.entry)
            change_booking(tx, session.tenant, stored, after)
            tx.events.append(booking_event(held, "Changed"))
        calendar.add_to(tx)


def read_lines(session: Session, new: NewOrder) -> BookingLines:
    """Return the bookings of a new order that exist. Raises InvalidState with a flaw for each that cannot be ordered.

    Raises Stale if one is being written.
    """
    stored = _read(session, new.booking_ids)
    _require_orderable(session, new, stored)
    resources = {each.place.resource_id: each for each in stored.values()}
    by_key = {booking_keys.resource(session.tenant, resource_id): resource_id for resource_id in resources}
    rows = session.read(by_key) if by_key else {}
    names = {by_key[key]: row["head"]["name"] for key, row in rows.items()}  # a model needs time zones
    offers = {
        booking_id: Offer(name=names[each.place.resource_id], sku=each.place.resource_id, price=each.booking.price)
        for booking_id, each in stored.items()
        if each.booking.price
    }
    return BookingLines(stored, offers)


def follow(tx: WriteTransaction, session: Session, before: Order, after: Order) -> None:
    """Add the steps that give an order's bookings the status that a change of the order gives them. Raises Stale."""
    if before.status is OrderStatus.PENDING:
        if after.status in ENDED_UNPAID:
            _free(tx, session, after, before.booking_ids, _FREED[after.status])
        elif after.status is not OrderStatus.PENDING:
            _confirm(tx, session, after)
        return
    returned = _returned(after) - _returned(before)
    if returned:
        _free(tx, session, after, sorted(returned), BookingStatus.CANCELLED)


def _confirm(tx: WriteTransaction, session: Session, order: Order) -> None:
    bookings = _of_order(session, order, order.booking_ids)
    at = _time_of(order.updated_at, bookings)
    for stored in bookings:
        if stored.booking.status is not BookingStatus.HELD:
            raise Stale
        confirmed = stored.booking.changed(at, status=BookingStatus.CONFIRMED)
        change_booking(tx, session.tenant, stored, stored.with_booking(confirmed))
        tx.events.append(booking_event(confirmed, "Confirmed"))


def _free(tx: WriteTransaction, session: Session, order: Order, ids: Sequence[str], status: BookingStatus) -> None:
    """Free the time of those bookings that have not been used."""
    found = [each for each in _of_order(session, order, ids) if each.booking.status in _UNUSED]
    calendar = Calendar(session)
    calendar.read(each.place for each in found)
    at = _time_of(order.updated_at, found)
    for stored in found:
        freed = stored.booking.changed(at, status=status)
        calendar.give_back(stored.place, freed.id)
        change_booking(tx, session.tenant, stored, stored.with_booking(freed))
        tx.events.append(booking_event(freed, status.title()))
    calendar.add_to(tx)


def _returned(order: Order) -> set[str]:
    """Return the ids of an order's bookings that were refunded."""
    whole = order.status is OrderStatus.REFUNDED
    return {line.booking_id for line in order.lines if line.booking_id and (whole or not line.refundable)}


def _time_of(at: datetime, bookings: Iterable[StoredBooking]) -> datetime:
    """Return the time of a change of bookings: that of the order's, and not before their last one."""
    return max([at, *(each.booking.updated_at for each in bookings)])


def _of_order(session: Session, order: Order, ids: Sequence[str]) -> Collection[StoredBooking]:
    """Return bookings of an order. Raises Stale if the order's first transaction is not visible in all of them."""
    found = _read(session, ids)
    if len(found) < len(ids) or any(each.booking.order_id != order.id for each in found.values()):
        raise Stale
    return found.values()


def _read(session: Session, ids: Collection[str]) -> dict[str, StoredBooking]:
    by_key = {booking_keys.booking(session.tenant, booking_id): booking_id for booking_id in ids}
    rows = session.read(by_key) if by_key else {}
    require_absent(session.table, (key for key in by_key if key not in rows))
    return {by_key[key]: StoredBooking.from_row(rows[key]) for key in by_key if key in rows}


def _require_orderable(session: Session, new: NewOrder, stored: dict[str, StoredBooking]) -> None:
    """Raise InvalidState unless bookings are held, have a price and are the customer's; leave out those of others."""
    customer_id = new.customer_id or session.caller.subject
    flaws = []
    for index, line in enumerate(new.lines):
        found = stored.get(line.item_id)
        if found is None:
            continue
        booking = found.booking
        if booking.customer_id != customer_id:
            del stored[booking.id]
        elif booking.order_id or booking.status is not BookingStatus.HELD or booking.is_lapsed(session.at):
            flaws.append(Flaw(f"/lines/{index}/booking_id", "NOT_HELD", "It is not held, or belongs to an order."))
        elif booking.price is None:
            flaws.append(Flaw(f"/lines/{index}/booking_id", "NO_PRICE", "It has no price: confirm it by itself."))
    if flaws:
        raise InvalidState("A booking cannot be ordered. Nothing was reserved.", *flaws)
