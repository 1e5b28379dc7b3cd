"""GET /v1/resources/{resource_id}/calendar.ics: the bookings of a resource, for calendars."""

from typing import Annotated

from aws_lambda_powertools.event_handler import Request, Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from domain.common.errors import NotFound
from handlers.http.calendar_file import CONTENT_TYPE, calendar_file
from handlers.http.declaration import SIGNED
from handlers.http.route import Route
from handlers.invocations.signed import of_tenant
from repositories.bookings.feed import FeedRepository, tenant_of


def _tenant(request: Request) -> str:
    return tenant_of((request.resolved_event.query_string_parameters or {}).get("token", ""))


Feeds = Annotated[FeedRepository, of_tenant(FeedRepository, _tenant)]
Token = Annotated[str, Query(max_length=200, description="Secret of the address, as `calendar-url` made it.")]
api = Route()


@api.get(
    "/v1/resources/<resource_id>/calendar.ics",
    permission=SIGNED,
    raises=[NotFound],
    media_type=CONTENT_TYPE,
    packages="calendar",
)
def get_calendar(resource_id: str, token: Token, feeds: Feeds) -> Response[str]:
    """Get the bookings of a resource from 30 days ago on, as iCalendar (RFC 5545), without who booked.

    Bookings that are held are tentative. 404 for an address that was replaced.
    """
    resource, bookings = feeds.read(resource_id, token)
    headers = {"Cache-Control": "private, max-age=300"}
    body = calendar_file(resource, bookings)
    return Response(200, content_type=f"{CONTENT_TYPE}; charset=utf-8", body=body, headers=headers)


handler = api.handler
