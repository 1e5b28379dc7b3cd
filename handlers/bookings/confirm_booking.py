"""POST /v1/bookings/{booking_id}/confirm: confirm a booking that is held."""

from domain.bookings.booking import Booking
from domain.common.errors import Contention, InvalidState, NotFound
from domain.identity.permissions import Permission
from handlers.dependencies.bookings.bookings import Bookings
from handlers.http.route import Route

api = Route()


@api.post(
    "/v1/bookings/<booking_id>/confirm",
    permission=Permission.BOOKINGS_OWN,
    raises=[Contention, InvalidState, NotFound],
)
def confirm_booking(booking_id: str, bookings: Bookings) -> Booking:
    """Confirm a booking that is held. 409 `INVALID_STATE` if the hold has ended.

    Customers confirm their own bookings without a price; what has one is confirmed by paying an order with it.
    """
    return bookings.confirm(booking_id)


handler = api.handler
