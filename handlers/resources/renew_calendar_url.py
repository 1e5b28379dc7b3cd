"""POST /v1/resources/{resource_id}/calendar-url: make an address of a resource's calendar."""

from typing import Annotated

from domain.common.errors import Contention, NotFound
from domain.common.model import Model
from domain.identity.permissions import Permission
from handlers.http.dependencies import ApiAddress, repository
from handlers.http.route import Route
from repositories.bookings.feed import FeedRepository

Feeds = Annotated[FeedRepository, repository(FeedRepository)]
api = Route()


class CalendarUrl(Model):
    """Address of a resource's calendar. It shows when the resource is booked, and no more."""

    url: str


@api.post(
    "/v1/resources/<resource_id>/calendar-url",
    permission=Permission.RESOURCES_WRITE,
    packages="calendar",
    raises=[NotFound, Contention],
    idempotency_key="ignored",
)
def renew_calendar_url(resource_id: str, feeds: Feeds, address: ApiAddress) -> CalendarUrl:
    """Make an address at which calendars read the bookings of a resource, as iCalendar.

    It needs no other authentication. The address that was made before no longer works.
    """
    return CalendarUrl(url=f"{address}/v1/resources/{resource_id}/calendar.ics?token={feeds.renew(resource_id)}")


handler = api.handler
