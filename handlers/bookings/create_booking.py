"""POST /v1/bookings: book units of a resource."""

from domain.bookings.booking import Booking, NewBooking
from domain.common.errors import Contention, InvalidState, NotFound, OutsideHours, PriceChanged, SlotTaken
from domain.identity.permissions import Permission
from handlers.dependencies.bookings.bookings import Bookings
from handlers.http.route import Route

api = Route()


@api.post(
    "/v1/bookings",
    permission=Permission.BOOKINGS_OWN,
    packages="calendar",
    status=201,
    raises=[NotFound, InvalidState, OutsideHours, SlotTaken, PriceChanged, Contention],
    idempotency_key="required",
)
def create_booking(new: NewBooking, bookings: Bookings) -> Booking:
    """Book units of a resource for a time. They are held for as long as orders are, or confirmed at once.

    A hold ends at its time. What has a price is confirmed by staff, or by paying an order with the booking. 409
    `SLOT_TAKEN` if fewer units are free at any instant; its flaws `FREE_AT` are the nearest times that are free.
    """
    return bookings.create(new)


handler = api.handler
