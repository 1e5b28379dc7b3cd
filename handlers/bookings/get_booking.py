"""GET /v1/bookings/{booking_id}: get a booking."""

from domain.bookings.booking import Booking
from domain.common.errors import Contention, NotFound
from domain.identity.permissions import Permission
from handlers.dependencies.bookings.bookings import Bookings
from handlers.http.route import Route

api = Route()


@api.get("/v1/bookings/<booking_id>", permission=Permission.BOOKINGS_OWN, raises=[NotFound, Contention])
def get_booking(booking_id: str, bookings: Bookings) -> Booking:
    """Get a booking. Customers see their own."""
    return bookings.get(booking_id)


handler = api.handler
