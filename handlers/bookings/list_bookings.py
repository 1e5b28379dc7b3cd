"""GET /v1/bookings: list bookings."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from domain.bookings.booking import Booking, ResourceId
from domain.common.errors import CursorInvalid, NotFound
from domain.common.pages import Page, PageRequest
from domain.common.times import DateOrMoment, TimeRange
from domain.identity.permissions import Permission
from domain.orders.checkout import UserId
from handlers.dependencies.bookings.bookings import Bookings
from handlers.http.parameters import Cursor, Limit
from handlers.http.route import Route

OfResource = Annotated[ResourceId | None, Query(description="Only what takes time of this resource.")]
OfCustomer = Annotated[UserId | None, Query(description="Only bookings of this customer; customers see their own.")]
Start = Annotated[DateOrMoment | None, Query(alias="from", description="Only what ends after this time.")]
End = Annotated[DateOrMoment | None, Query(alias="to", description="Only what begins before this time.")]
api = Route()


@api.get("/v1/bookings", permission=Permission.BOOKINGS_OWN, packages="calendar", raises=[CursorInvalid, NotFound])
def list_bookings(
    bookings: Bookings,
    resource_id: OfResource = None,
    customer_id: OfCustomer = None,
    start: Start = None,
    end: End = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[Booking]:
    """List bookings, newest first. With `resource_id`, list what is in its calendar, the first one first.

    What is in a calendar takes time, so bookings that were cancelled or have expired are not. `from` and `to` are about
    the time that is booked.
    """
    if customer_id is None and not bookings.caller.may(Permission.BOOKINGS_MANAGE):
        customer_id = bookings.caller.subject
    elif customer_id is not None:
        bookings.caller.require_own_or(Permission.BOOKINGS_MANAGE, customer_id)
    during = TimeRange.of_query(start, end)
    return bookings.page(PageRequest(limit, cursor), resource_id, customer_id, during)


handler = api.handler
