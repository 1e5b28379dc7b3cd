"""DELETE /v1/resources/{resource_id}: archive a resource."""

from domain.common.errors import Contention, NotFound, PreconditionFailed
from domain.identity.permissions import Permission
from handlers.dependencies.bookings.resources import Resources
from handlers.http.etags import versions_in
from handlers.http.parameters import OptionalIfMatch
from handlers.http.route import Route

api = Route()


@api.delete(
    "/v1/resources/<resource_id>",
    permission=Permission.RESOURCES_WRITE,
    packages="calendar",
    status=204,
    raises=[Contention, NotFound, PreconditionFailed],
)
def archive_resource(resource_id: str, resources: Resources, if_match: OptionalIfMatch = None) -> None:
    """Archive a resource. It can no longer be booked; its bookings stay."""
    resources.archive(resource_id, versions_in(if_match or "*"))


handler = api.handler
