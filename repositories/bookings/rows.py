"""Rows of resources and bookings."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Self

from domain.bookings.booking import Booking
from domain.bookings.calendar import Entry, page_start, seconds
from domain.bookings.hours import Span
from domain.bookings.resources import NewResource, Resource
from domain.bookings.status import BookingStatus
from domain.common.model import json_of, to_rfc3339
from domain.common.money import Money
from repositories.bookings import keys as booking_keys
from repositories.bookings.calendar import Place
from repositories.dynamodb import keys, work_keys
from repositories.dynamodb.codec import Row, new_row
from repositories.dynamodb.keys import Position
from repositories.dynamodb.work_list import Work

_TIMES = ("starts_at", "ends_at", "hold_expires_at", "created_at", "updated_at")


@dataclass(frozen=True, slots=True)
class StoredResource:
    """A resource as it is stored."""

    resource: Resource
    page_days: int
    """Days that a page of its calendar covers; never changed."""
    most: int
    """The largest capacity that it has had."""
    feed: int = 0
    """Number of the address of its feed, counted up when a new one is made; 0: none was made."""

    @classmethod
    def new(cls, resource_id: str, new: NewResource, at: datetime) -> Self:
        """Return a new resource."""
        return cls(Resource.new(resource_id, new, at), new.page_days, new.capacity)

    @classmethod
    def from_row(cls, row: Row) -> Self:
        """Return the resource of a row."""
        return cls(Resource.model_validate(row["head"]), row["page_days"], row["most"], row["feed"])

    def to_row(self, tenant: str) -> Row:
        """Return the row."""
        resource = self.resource
        at = Position(to_rfc3339(resource.created_at), resource.id)
        return new_row(
            booking_keys.resource(tenant, resource.id),
            "resource",
            head=json_of(resource),
            version=resource.version,
            page_days=self.page_days,
            most=self.most,
            feed=self.feed,
            **keys.listed(tenant, booking_keys.RESOURCES, at),
        )

    def page_at(self, at: int) -> datetime:
        """Return the beginning of the page of its calendar that covers a second of the epoch."""
        return page_start(at // (self.page_days * 86_400), self.page_days)

    def place(self, during: Span) -> Place:
        """Return where in the calendar a booking is, with its buffers."""
        return Place(self.resource.id, self.page_days, self.resource.occupied(during))


@dataclass(frozen=True, slots=True)
class StoredBooking:
    """A booking as it is stored, and where it is in the calendar: its buffers stay as they were when it was made."""

    booking: Booking
    place: Place

    @property
    def entry(self) -> Entry:
        """What is on the pages of the calendar."""
        return self.booking.entry(self.place.occupied)

    @classmethod
    def from_row(cls, row: Row) -> Self:
        """Return the booking of a row."""
        booking = booking_from_row(row)
        start, end = (datetime.fromtimestamp(each, UTC) for each in row["occupied"])
        return cls(booking, Place(booking.resource_id, row["page_days"], Span(start, end)))

    def place_at(self, during: Span) -> Place:
        """Return where in the calendar it is at another time, with its buffers."""
        booked, occupied = self.booking.during, self.place.occupied
        span = Span(during.start - (booked.start - occupied.start), during.end + (occupied.end - booked.end))
        return self.place._replace(occupied=span)

    def with_booking(self, booking: Booking) -> "StoredBooking":
        """Return it with another version of the booking, at the same place."""
        return replace(self, booking=booking)

    def to_row(self, tenant: str) -> Row:
        """Return the row. A booking that is to expire, or to be done, is on the work list (gsi3)."""
        booking = self.booking
        at = Position(to_rfc3339(booking.created_at), booking.id)
        due = _due_at(booking)
        return new_row(
            booking_keys.booking(tenant, booking.id),
            "booking",
            head=_head(booking),
            version=booking.version,
            occupied=[seconds(each) for each in self.place.occupied],
            page_days=self.place.days,
            **keys.listed(tenant, booking_keys.BOOKINGS, at),
            **keys.listed_below(booking_keys.customers_bookings(tenant, booking.customer_id), at),
            **(work_keys.due(Work.BOOKING, booking.id, due) if due else {}),
        )


def _due_at(booking: Booking) -> datetime | None:
    if booking.status is BookingStatus.CHECKED_IN:
        return max(booking.ends_at, booking.updated_at)  # sweeps have passed an end that was before
    return booking.hold_expires_at


def _head(booking: Booking) -> Row:
    """Return what lists show, which is all; what is null is left out."""
    head = booking.model_dump(mode="json", exclude_none=True)
    return head | ({"price": [booking.price.minor, booking.price.currency]} if booking.price else {})


def booking_from_row(row: Row) -> Booking:
    """Return the booking of a row of the table or an index."""
    head: dict[str, Any] = {"price": None, "order_id": None, "hold_expires_at": None, "note": None} | row["head"]
    price: Sequence[Any] | None = head["price"]
    head |= {name: datetime.fromisoformat(head[name]) for name in _TIMES if head[name]}
    head |= {"price": Money.of_minor(*price) if price else None, "status": BookingStatus(head["status"])}
    return Booking.model_construct(**head)
