"""GET /v1/resources/{resource_id}/availability: times at which a resource is free."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field

from domain.bookings.hours import Span
from domain.bookings.resources import MAX_CAPACITY, MAX_MINUTES
from domain.bookings.slots import Availability
from domain.common.errors import Contention, NotFound
from domain.common.times import DateOrMoment
from domain.identity.permissions import Permission
from handlers.dependencies.bookings.resources import Resources
from handlers.http.route import Route

Start = Annotated[DateOrMoment, Query(alias="from", description="Only times that begin then or later.")]
End = Annotated[DateOrMoment, Query(alias="to", description="Only times that begin before; at most 62 days later.")]
Minutes = Annotated[
    int | None, Query(description="Length of the booking; by default the shortest one."), Field(ge=1, le=MAX_MINUTES)
]
Wanted = Annotated[int, Query(description="Units that are to be free."), Field(ge=1, le=MAX_CAPACITY)]
api = Route()


@api.get(
    "/v1/resources/<resource_id>/availability",
    permission=Permission.RESOURCES_READ,
    packages="calendar",
    raises=[NotFound, Contention],
)
def get_availability(
    resource_id: str, start: Start, end: End, resources: Resources, minutes: Minutes = None, units: Wanted = 1
) -> Availability:
    """List the times at which a booking is possible now, with the units that are free throughout each.

    Times begin every `slot_minutes`. If the resource can be booked at any time, they follow each other from the
    beginning of each time that is free on. A time can be taken before you book it.
    """
    return resources.availability(resource_id, Span(start, end), minutes, units)


handler = api.handler
