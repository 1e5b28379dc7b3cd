"""POST /v1/bookings/{booking_id}/cancel: cancel a booking."""

from domain.bookings.booking import Booking
from domain.common.errors import Contention, InvalidState, NotFound
from domain.identity.permissions import Permission
from handlers.dependencies.bookings.bookings import Bookings
from handlers.http.route import Route

api = Route()


@api.post(
    "/v1/bookings/<booking_id>/cancel",
    permission=Permission.BOOKINGS_OWN,
    raises=[Contention, InvalidState, NotFound],
)
def cancel_booking(booking_id: str, bookings: Bookings) -> Booking:
    """Cancel a booking that is held or confirmed, and free its time.

    One that belongs to an order is freed by cancelling or refunding the order.
    """
    return bookings.cancel(booking_id)


handler = api.handler
