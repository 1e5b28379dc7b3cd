"""Bookings of resources: their state, and how it changes."""

from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import MISSING, AfterValidator, Field, StrictBool, model_validator
from pydantic_core import PydanticCustomError

from domain.bookings.calendar import Entry, seconds
from domain.bookings.hours import Span
from domain.bookings.resources import MAX_CAPACITY
from domain.bookings.status import BookingStatus, require_move
from domain.common.errors import InvalidState
from domain.common.merge_patch import patched
from domain.common.model import A_NUMBER, Model, Text, Timestamp
from domain.common.money import Money
from domain.common.times import Moment
from domain.orders.checkout import UserId

ResourceId = Annotated[str, Field(max_length=64, examples=["resource_01JD3ZK8Q4M5X6Y7Z8A9B0C1D2"])]
Units = Annotated[int, Field(ge=1, le=MAX_CAPACITY, examples=[1]), A_NUMBER]
Note = Annotated[Text, Field(min_length=1, max_length=1000)]


def _of_seconds(moment: datetime) -> datetime:
    if moment.microsecond:
        raise PydanticCustomError("time_fraction", "Must be a whole second")
    return moment


BookedTime = Annotated[Moment, AfterValidator(_of_seconds)]
"""Time in RFC 3339 format, to the second."""


class BookingFields(Model):
    """Fields of a booking that can be changed."""

    starts_at: BookedTime
    ends_at: BookedTime
    units: Units = 1
    note: Note | None = None

    @model_validator(mode="after")
    def _is_ordered(self) -> Self:
        if self.starts_at >= self.ends_at:
            raise PydanticCustomError("time_range", "starts_at must be before ends_at")
        return self

    @property
    def during(self) -> Span:
        """The time that is booked."""
        return Span(self.starts_at, self.ends_at)


class NewBooking(BookingFields):
    """A booking to make.

    Only staff and owners can book for a customer (`customer_id`), and confirm what has a price. The booking is rejected
    if `expected_price` is set and is not its price.
    """

    resource_id: ResourceId
    customer_id: UserId | None = None
    confirm: StrictBool = False
    """Confirm it at once, instead of holding it."""
    expected_price: Money | None = None


class BookingPatch(Model):
    """A change of a booking. Fields left out are unchanged; a note of null removes it."""

    starts_at: BookedTime | MISSING = MISSING
    ends_at: BookedTime | MISSING = MISSING
    units: Units | MISSING = MISSING
    note: Note | MISSING | None = MISSING


class Booking(Model):
    """A booking of units of a resource for a time."""

    id: str
    resource_id: str
    customer_id: str
    starts_at: Timestamp
    ends_at: Timestamp
    units: int
    status: BookingStatus
    price: Money | None
    order_id: str | None
    """Order that it is a line of. While that is pending, the booking is held with it."""
    hold_expires_at: Timestamp | None
    """End of the hold; null if it belongs to an order, or is not held."""
    note: str | None
    version: int
    created_at: Timestamp
    updated_at: Timestamp

    @classmethod
    def new(
        cls, booking_id: str, new: NewBooking, price: Money | None, *, by: str, at: datetime, until: datetime
    ) -> Self:
        """Return the first version of a booking, of the customer that it names or else of `by`, held or confirmed."""
        return cls(
            id=booking_id,
            resource_id=new.resource_id,
            customer_id=new.customer_id or by,
            starts_at=new.starts_at,
            ends_at=new.ends_at,
            units=new.units,
            status=BookingStatus.CONFIRMED if new.confirm else BookingStatus.HELD,
            price=price,
            order_id=None,
            hold_expires_at=None if new.confirm else until,
            note=new.note,
            version=1,
            created_at=at,
            updated_at=at,
        )

    @property
    def during(self) -> Span:
        """The time that is booked."""
        return Span(self.starts_at, self.ends_at)

    def is_lapsed(self, at: datetime) -> bool:
        """Return whether it is held and its hold has ended at a time."""
        return self.hold_expires_at is not None and self.hold_expires_at <= at

    def entry(self, occupied: Span) -> Entry:
        """Return what is on the pages of the calendar: the span that it takes with its buffers."""
        until = seconds(self.hold_expires_at) if self.hold_expires_at else None
        return Entry(seconds(occupied.start), seconds(occupied.end), self.units, self.id, until)

    def changed(self, at: datetime, **changes: Any) -> Self:
        """Return the next version."""
        update = changes | {"version": self.version + 1, "updated_at": max(at, self.updated_at)}
        return self.model_copy(update=update)

    def moved(self, wanted: BookingStatus, at: datetime) -> Self:
        """Return the booking with status `wanted`. Raises InvalidState if the change is not allowed.

        That includes a confirmation after the hold has ended, expiry before, and an end before it ends.
        """
        require_move(self.status, wanted)
        if wanted is BookingStatus.CONFIRMED and self.is_lapsed(at):
            raise InvalidState("The hold has ended, and the time may be taken.")
        if wanted is BookingStatus.EXPIRED and not self.is_lapsed(at):
            raise InvalidState("The booking still holds its time.")
        if wanted is BookingStatus.DONE and self.ends_at > at:
            raise InvalidState("The booking has not ended.")
        return self.changed(at, status=wanted, hold_expires_at=None)

    def patched(self, patch: BookingPatch) -> BookingFields:
        """Return the fields with `patch` applied. Raises ValidationFailed."""
        return patched(self, BookingFields, patch)

    def require_not_begun(self, at: datetime) -> None:
        """Raise InvalidState if its time has begun."""
        if self.starts_at <= at:
            raise InvalidState("The booking has begun.")

    def require_movable(self, at: datetime) -> None:
        """Raise InvalidState unless its time and units can be changed."""
        if self.status not in {BookingStatus.HELD, BookingStatus.CONFIRMED} or self.is_lapsed(at):
            raise InvalidState(f"A booking that is {self.status} cannot be changed, nor one whose hold has ended.")
