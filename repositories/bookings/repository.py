"""Bookings and their changes of status."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.bookings.booking import Booking, BookingFields, BookingPatch, NewBooking
from domain.bookings.hours import Span
from domain.bookings.prices import price_of
from domain.bookings.resources import Resource, ResourceStatus
from domain.bookings.slots import require_within_rules
from domain.bookings.status import BookingStatus
from domain.common.errors import Flaw, InvalidState, NotFound, PreconditionFailed, PriceChanged
from domain.common.ids import is_id, new_id
from domain.common.money import MAX_AMOUNT, Money
from domain.common.pages import Page, PageRequest
from domain.common.times import TimeRange
from domain.common.validation import invalid_input
from domain.identity.permissions import Caller, Permission
from domain.identity.tenants import TenantSettings
from repositories.bookings import keys as booking_keys
from repositories.bookings.calendar import Calendar
from repositories.bookings.changing import booking_event, change_booking, require_on_pages
from repositories.bookings.listing import by_creation, in_calendar
from repositories.bookings.rows import StoredBooking, StoredResource
from repositories.bookings.taking import take
from repositories.dynamodb import keys
from repositories.dynamodb.codec import Row
from repositories.dynamodb.iam_actions import IamAction, uses
from repositories.dynamodb.session import Session, retry_on_conflict
from repositories.dynamodb.transaction import id_exists, require_absent
from repositories.identity.tenant_rows import tenant_fields

CHANGING = (IamAction.GET, IamAction.BATCH_GET, IamAction.PUT)
"""Actions of a change of a booking that takes no other time."""


@dataclass(frozen=True, slots=True)
class BookingRepository:
    """The bookings of the caller's tenant. A customer can access only their own."""

    session: Session

    @property
    def caller(self) -> Caller:
        """The caller of the request."""
        return self.session.caller

    @uses(IamAction.GET, IamAction.BATCH_GET, IamAction.QUERY, IamAction.PUT)
    def create(self, new: NewBooking) -> Booking:
        """Book units of a resource, held or confirmed.

        Raises Forbidden, NotFound, InvalidState, OutsideHours, SlotTaken, PriceChanged, Contention.
        """
        return self.create_as(new_id("booking"), new)

    @retry_on_conflict
    def create_as(self, booking_id: str, new: NewBooking) -> Booking:
        """Book with a given id. Raises as `create`."""
        if new.customer_id is not None:
            self.caller.require_own_or(Permission.BOOKINGS_MANAGE, new.customer_id)
        found, until = self._resource(new.resource_id)
        resource, at = found.resource, self.session.at
        require_within_rules(resource, new.during, at)
        price = _price(resource, new.during, new.units)
        if new.confirm:
            self._require_may_confirm(price)
        if new.expected_price is not None and new.expected_price != price:
            raise PriceChanged(Flaw("/expected_price", "PRICE_CHANGED", f"The price is {price or 'none'}."))
        booking = Booking.new(booking_id, new, price, by=self.caller.subject, at=at, until=until)
        stored = StoredBooking(booking, found.place(new.during))
        tx = self.session.transaction()
        take(tx, self.session, resource, stored)
        tx.create("add the booking", stored.to_row(self.session.tenant), raises=id_exists)
        event = "Confirmed" if new.confirm else "Held"
        self.session.commit(tx, booking, booking_event(booking, event))
        return booking

    @uses(IamAction.GET)
    @retry_on_conflict
    def get(self, booking_id: str) -> Booking:
        """Return a booking. Raises NotFound, Contention."""
        return self._reached(self.session.find(self._key(booking_id))).booking

    @uses(IamAction.LIST, IamAction.LIST_BELOW, IamAction.GET, IamAction.QUERY, IamAction.BATCH_GET)
    def page(
        self, page: PageRequest, resource_id: str | None, customer_id: str | None, during: TimeRange
    ) -> Page[Booking]:
        """Return a page of the bookings that a time touches, optionally only of one resource or customer.

        Raises NotFound, CursorInvalid, Contention.
        """
        if resource_id is None:
            return by_creation(self.session, page, customer_id, during)
        stored, _ = self.session.retry_on_conflict(lambda: self._resource(resource_id))
        return in_calendar(self.session, page, stored, customer_id, during)

    @uses(IamAction.GET, IamAction.BATCH_GET, IamAction.QUERY, IamAction.PUT)
    @retry_on_conflict
    def change(self, booking_id: str, patch: BookingPatch, expected: frozenset[int] | None) -> Booking:
        """Change the time, units or note of a booking if its version is in `expected`; None accepts any.

        Raises NotFound, PreconditionFailed, InvalidState, OutsideHours, SlotTaken, PriceChanged, ValidationFailed,
        Contention.
        """
        stored = self._read(booking_id)
        before, at = stored.booking, self.session.at
        if expected is not None and before.version not in expected:
            raise PreconditionFailed
        self._require_not_begun(before)
        before.require_movable(at)
        fields = before.patched(patch)
        during, tx = fields.during, self.session.transaction()
        after = stored.with_booking(before.changed(at, note=fields.note))
        if (during, fields.units) != (before.during, before.units):
            found, _ = self._resource(before.resource_id)
            _require_may_take(stored, fields, found.resource, at)
            price = self._price_after(before, found.resource, during, fields.units)
            _require_no_longer(before, during)
            after = StoredBooking(before.changed(at, **dict(fields), price=price), stored.place_at(during))
            take(tx, self.session, found.resource, after, stored)
        change_booking(tx, self.session.tenant, stored, after)
        self.session.commit(tx, after.booking, booking_event(after.booking, "Changed"))
        return after.booking

    @uses(*CHANGING)
    @retry_on_conflict
    def confirm(self, booking_id: str) -> Booking:
        """Confirm a booking that is held. Raises Forbidden, NotFound, InvalidState, Contention."""
        stored = self._read(booking_id)
        self._require_no_order(stored.booking)
        self._require_may_confirm(stored.booking.price)
        confirmed = stored.booking.moved(BookingStatus.CONFIRMED, self.session.at)
        calendar = Calendar(self.session)
        calendar.read([stored.place])
        require_on_pages(self.session, calendar, stored)
        after = stored.with_booking(confirmed)
        calendar.take(after.place, after.entry)
        return self._commit(calendar, stored, after, "Confirmed")

    @uses(*CHANGING)
    @retry_on_conflict
    def cancel(self, booking_id: str) -> Booking:
        """Cancel a booking and free its time. Raises NotFound, InvalidState, Contention."""
        stored = self._read(booking_id)
        self._require_not_begun(stored.booking)
        self._require_no_order(stored.booking)
        cancelled = stored.booking.moved(BookingStatus.CANCELLED, self.session.at)
        calendar = Calendar(self.session)
        calendar.read([stored.place])
        calendar.give_back(stored.place, cancelled.id)
        return self._commit(calendar, stored, stored.with_booking(cancelled), "Cancelled")

    @uses(*CHANGING)
    def check_in(self, booking_id: str) -> Booking:
        """Note that a customer has come. Raises NotFound, InvalidState, Contention."""
        return self._move(booking_id, BookingStatus.CHECKED_IN, "CheckedIn")

    @uses(*CHANGING)
    def no_show(self, booking_id: str) -> Booking:
        """Note that a customer has not come. Raises NotFound, InvalidState, Contention."""
        return self._move(booking_id, BookingStatus.NO_SHOW, "NoShow")

    def settle(self, booking_id: str) -> Booking:
        """Expire a booking whose hold has ended, or note that one is over. Raises as `check_in`."""
        if self.get(booking_id).status is BookingStatus.CHECKED_IN:
            return self._move(booking_id, BookingStatus.DONE, "Done")
        return self._move(booking_id, BookingStatus.EXPIRED, "Expired")

    @retry_on_conflict
    def _move(self, booking_id: str, wanted: BookingStatus, event: str) -> Booking:
        stored = self._read(booking_id)
        after = stored.with_booking(stored.booking.moved(wanted, self.session.at))
        return self._commit(Calendar(self.session), stored, after, event)

    def _commit(self, calendar: Calendar, before: StoredBooking, after: StoredBooking, event: str) -> Booking:
        tx = self.session.transaction()
        calendar.add_to(tx)
        change_booking(tx, self.session.tenant, before, after)
        self.session.commit(tx, after.booking, booking_event(after.booking, event))
        return after.booking

    def _resource(self, resource_id: str) -> tuple[StoredResource, datetime]:
        """Return a resource, and the time until which a booking is held. Raises NotFound, Stale."""
        if not is_id("resource", resource_id):
            raise _no_resource()
        key, tenant_key = booking_keys.resource(self.session.tenant, resource_id), keys.tenant(self.session.tenant)
        rows = self.session.read([key, tenant_key])
        if key not in rows:
            require_absent(self.session.table, [key])
            raise _no_resource()
        settings = TenantSettings(**(tenant_fields(rows[tenant_key])["settings"] if tenant_key in rows else {}))
        until = self.session.at + timedelta(minutes=settings.hold_minutes)
        return StoredResource.from_row(rows[key]), until.replace(microsecond=0)

    def _require_may_confirm(self, price: Money | None) -> None:
        """Raise Forbidden if a booking has a price and the caller may only confirm it by paying an order."""
        if price is not None:
            self.caller.require(Permission.BOOKINGS_MANAGE)

    def _require_not_begun(self, booking: Booking) -> None:
        """Raise InvalidState if the time of a booking has begun and its customer would have used it for nothing."""
        if not self.caller.may(Permission.BOOKINGS_MANAGE):
            booking.require_not_begun(self.session.at)

    def _require_no_order(self, booking: Booking) -> None:
        if booking.order_id is not None:
            raise InvalidState(f"The booking belongs to {booking.order_id}: pay, cancel or refund that.")

    def _price_after(self, before: Booking, resource: Resource, during: Span, units: int) -> Money | None:
        """Return the price of a booking at another time. Raises PriceChanged if it was agreed and is another one."""
        price = _price(resource, during, units)
        is_agreed = before.order_id is not None or (
            before.status is BookingStatus.CONFIRMED and not self.caller.may(Permission.BOOKINGS_MANAGE)
        )
        if is_agreed and price != before.price:
            detail = f"The price would be {price or 'none'} instead of {before.price or 'none'}."
            raise PriceChanged(Flaw("/starts_at", "PRICE_CHANGED", detail))
        return price

    def _read(self, booking_id: str) -> StoredBooking:
        """Return a booking, to be changed. Raises NotFound, Unauthorized, Stale."""
        key = self._key(booking_id)
        row = self.session.read([key]).get(key)
        if row is None:
            require_absent(self.session.table, [key])
        return self._reached(row)

    def _reached(self, row: Row | None) -> StoredBooking:
        """Return the booking of a row. Raises NotFound without one, and to a customer for another customer's."""
        stored = StoredBooking.from_row(row) if row else None
        if stored is None or not self._may_reach(stored.booking):
            raise NotFound("booking")
        return stored

    def _may_reach(self, booking: Booking) -> bool:
        return booking.customer_id == self.caller.subject or self.caller.may(Permission.BOOKINGS_MANAGE)

    def _key(self, booking_id: str) -> keys.Key:
        if not is_id("booking", booking_id):
            raise NotFound("booking")
        return booking_keys.booking(self.session.tenant, booking_id)


def _require_may_take(stored: StoredBooking, fields: BookingFields, resource: Resource, at: datetime) -> None:
    """Raise OutsideHours or InvalidState if a booking may not be changed to a time or a number of units."""
    before, during = stored.booking, fields.during
    if during != before.during:
        require_within_rules(resource, during, at)
    elif fields.units > before.units and resource.status is ResourceStatus.ARCHIVED:
        raise InvalidState("The resource is archived.")


def _require_no_longer(before: Booking, during: Span) -> None:
    """Raise InvalidState if a booking of an order gets longer: its pages must fit into the order's transactions."""
    if before.order_id is not None and during.end - during.start > before.ends_at - before.starts_at:
        raise InvalidState("A booking in an order cannot get longer.")


def _no_resource() -> NotFound:
    return NotFound("resource", Flaw("/resource_id", "NOT_FOUND", "There is no such resource."))


def _price(resource: Resource, during: Span, units: int) -> Money | None:
    """Return what a booking costs. Raises ValidationFailed for a price with too many digits for an amount."""
    price = price_of(resource, during, units)
    if price and price.amount >= MAX_AMOUNT:
        raise invalid_input([Flaw("/units", "PRICE_TOO_LARGE", "The price has too many digits for an amount.")])
    return price
