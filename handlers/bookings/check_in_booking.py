"""POST /v1/bookings/{booking_id}/check-in: note that a customer has come."""

from domain.bookings.booking import Booking
from domain.common.errors import Contention, InvalidState, NotFound
from domain.identity.permissions import Permission
from handlers.dependencies.bookings.bookings import Bookings
from handlers.http.route import Route

api = Route()


@api.post(
    "/v1/bookings/<booking_id>/check-in",
    permission=Permission.BOOKINGS_MANAGE,
    raises=[Contention, InvalidState, NotFound],
)
def check_in_booking(booking_id: str, bookings: Bookings) -> Booking:
    """Note that a customer has come. At its end, the booking is done."""
    return bookings.check_in(booking_id)


handler = api.handler
