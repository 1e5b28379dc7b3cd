"""Bookings as an iCalendar object (RFC 5545)."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from domain.bookings.booking import Booking
from domain.bookings.resources import Resource
from domain.bookings.status import BookingStatus

if TYPE_CHECKING:
    from icalendar import Event

CONTENT_TYPE = "text/calendar"


def calendar_file(resource: Resource, bookings: Iterable[Booking]) -> str:
    """Return the bookings of a resource as a VCALENDAR with a VEVENT each, without what says who booked.

    Those that are held are tentative. `SEQUENCE` is the version of the booking.
    """
    from icalendar import Calendar

    calendar = Calendar()
    calendar.add("prodid", "-//Tradepost//Bookings//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("name", resource.name)
    calendar.add("x-wr-calname", resource.name)
    for booking in bookings:
        calendar.add_component(_event(resource, booking))
    text: str = calendar.to_ical().decode()
    return text


def _event(resource: Resource, booking: Booking) -> "Event":
    from icalendar import Event

    event = Event()
    event.add("uid", f"{booking.id}@tradepost")
    event.add("dtstamp", booking.updated_at)
    event.add("dtstart", booking.starts_at)
    event.add("dtend", booking.ends_at)
    event.add("sequence", booking.version)
    event.add("summary", f"{resource.name}: {booking.units} of {resource.capacity}")
    event.add("status", "TENTATIVE" if booking.status is BookingStatus.HELD else "CONFIRMED")
    return event
