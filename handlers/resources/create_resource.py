"""POST /v1/resources: add a resource."""

from domain.bookings.resources import NewResource, Resource
from domain.common.errors import Contention
from domain.identity.permissions import Permission
from handlers.dependencies.bookings.resources import Resources
from handlers.http.route import Route

api = Route()


@api.post("/v1/resources", permission=Permission.RESOURCES_WRITE, packages="calendar", status=201, raises=[Contention])
def create_resource(new: NewResource, resources: Resources) -> Resource:
    """Add a resource whose time is sold: a room, a table, a person, something for hire.

    Hours are wall time in its time zone, also where clocks change. Without `hours`, it is always open.
    """
    return resources.create(new)


handler = api.handler
