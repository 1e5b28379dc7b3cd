"""GET /v1/resources/{resource_id}: get a resource."""

from domain.bookings.resources import Resource
from domain.common.errors import Contention, NotFound
from domain.identity.permissions import Permission
from handlers.dependencies.bookings.resources import Resources
from handlers.http.route import Route

api = Route()


@api.get(
    "/v1/resources/<resource_id>",
    permission=Permission.RESOURCES_READ,
    packages="calendar",
    raises=[NotFound, Contention],
)
def get_resource(resource_id: str, resources: Resources) -> Resource:
    """Get a resource."""
    return resources.get(resource_id)


handler = api.handler
