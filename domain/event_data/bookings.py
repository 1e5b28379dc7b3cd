"""Data of events of resources and bookings."""

from domain.bookings.status import BookingStatus
from domain.common.model import Timestamp
from domain.event_data.base import EventData


class ResourceCreated(EventData):
    """A resource was added."""


class ResourceChanged(EventData):
    """A resource's rules, capacity or price were changed."""


class ResourceArchived(EventData):
    """A resource was archived."""


class BookingData(EventData):
    """A booking after a change."""

    status: BookingStatus
    resource_id: str
    starts_at: Timestamp
    ends_at: Timestamp
    units: int
    order_id: str | None


class BookingHeld(BookingData):
    """Units of a resource were booked and are held: until its hold ends, or as long as its order is pending."""


class BookingConfirmed(BookingData):
    """A booking was confirmed, or made and confirmed at once."""


class BookingChanged(BookingData):
    """The time, units or note of a booking were changed, or it became part of an order."""


class BookingCancelled(BookingData):
    """A booking was cancelled, and its time is free."""


class BookingExpired(BookingData):
    """A booking was not confirmed in time, and its time is free."""


class BookingCheckedIn(BookingData):
    """A customer has come to a booking."""


class BookingNoShow(BookingData):
    """A customer has not come to a booking."""


class BookingDone(BookingData):
    """A booking with a customer who came is over."""
