"""PATCH /v1/bookings/{booking_id}: move or change a booking."""

from domain.bookings.booking import Booking, BookingPatch
from domain.common.errors import (
    Contention,
    InvalidState,
    NotFound,
    OutsideHours,
    PreconditionFailed,
    PriceChanged,
    SlotTaken,
)
from domain.identity.permissions import Permission
from handlers.dependencies.bookings.bookings import Bookings
from handlers.http.errors import PreconditionRequired
from handlers.http.etags import versions_in
from handlers.http.parameters import IfMatch
from handlers.http.route import Route

api = Route()


@api.patch(
    "/v1/bookings/<booking_id>",
    permission=Permission.BOOKINGS_OWN,
    packages="calendar",
    raises=[
        *(Contention, InvalidState, NotFound, OutsideHours),
        *(PreconditionFailed, PreconditionRequired, PriceChanged, SlotTaken),
    ],
)
def change_booking(booking_id: str, patch: BookingPatch, if_match: IfMatch, bookings: Bookings) -> Booking:
    """Change the time, units or note of a booking that is held or confirmed. Its old time is free at the same instant.

    The price follows from the new time. 409 `PRICE_CHANGED` if the booking belongs to an order, or a customer has it
    confirmed, and the price would be another one.
    """
    return bookings.change(booking_id, patch, versions_in(if_match))


handler = api.handler
