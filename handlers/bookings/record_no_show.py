"""POST /v1/bookings/{booking_id}/no-show: note that a customer has not come."""

from domain.bookings.booking import Booking
from domain.common.errors import Contention, InvalidState, NotFound
from domain.identity.permissions import Permission
from handlers.dependencies.bookings.bookings import Bookings
from handlers.http.route import Route

api = Route()


@api.post(
    "/v1/bookings/<booking_id>/no-show",
    permission=Permission.BOOKINGS_MANAGE,
    raises=[Contention, InvalidState, NotFound],
)
def record_no_show(booking_id: str, bookings: Bookings) -> Booking:
    """Note that a customer has not come. The time stays taken."""
    return bookings.no_show(booking_id)


handler = api.handler
