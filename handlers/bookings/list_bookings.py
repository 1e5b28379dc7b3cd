"""GET /v1/bookings: list bookings."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from domain.bookings.booking import Booking, ResourceId
from domain.common.errors import CursorInvalid
from domain.common.pages import Page, PageRequest
from domain.common.times import DateOrMoment, TimeRange
from domain.identity.permissions import Permission
from domain.orders.checkout import UserId
from handlers.dependencies.bookings.bookings import Bookings
from handlers.http.parameters import Cursor, Limit
from handlers.http.route import Route

OfResource = Annotated[ResourceId | None, Query(description="Only bookings of this resource.")]
OfCustomer = Annotated[UserId | None, Query(description="Only bookings of this customer; customers see their own.")]
Start = Annotated[DateOrMoment | None, Query(alias="from", description="Only what begins then or later.")]
End = Annotated[DateOrMoment | None, Query(alias="to", description="Only what begins before.")]
api = Route()


@api.get("/v1/bookings", permission=Permission.BOOKINGS_OWN, raises=[CursorInvalid])
def list_bookings(
    bookings: Bookings,
    resource_id: OfResource = None,
    customer_id: OfCustomer = None,
    start: Start = None,
    end: End = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[Booking]:
    """List bookings by the time at which they begin, the last one first, also those that were cancelled.

    A booking that is moved while you read pages can be missing from them, or come twice.
    """
    if customer_id is None and not bookings.caller.may(Permission.BOOKINGS_MANAGE):
        customer_id = bookings.caller.subject
    elif customer_id is not None:
        bookings.caller.require_own_or(Permission.BOOKINGS_MANAGE, customer_id)
    begins = TimeRange.of_query(start, end)
    return bookings.page(PageRequest(limit, cursor), resource_id, customer_id, begins)


handler = api.handler
