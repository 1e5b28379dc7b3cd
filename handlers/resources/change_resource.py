"""PATCH /v1/resources/{resource_id}: change a resource by a JSON merge patch (RFC 7396)."""

from domain.bookings.resources import Resource, ResourcePatch
from domain.common.errors import Contention, InvalidState, NotFound, PreconditionFailed
from domain.identity.permissions import Permission
from handlers.dependencies.bookings.resources import Resources
from handlers.http.errors import PreconditionRequired
from handlers.http.etags import versions_in
from handlers.http.parameters import IfMatch
from handlers.http.route import Route

api = Route()


@api.patch(
    "/v1/resources/<resource_id>",
    permission=Permission.RESOURCES_WRITE,
    packages="calendar",
    raises=[Contention, NotFound, InvalidState, PreconditionFailed, PreconditionRequired],
)
def change_resource(resource_id: str, patch: ResourcePatch, if_match: IfMatch, resources: Resources) -> Resource:
    """Change a resource. Fields left out are unchanged; null removes a value; lists are replaced as a whole.

    Bookings that were made keep their time, buffers and price, even if they do not fit the new rules.
    """
    return resources.change(resource_id, patch, versions_in(if_match))


handler = api.handler
