"""GET /v1/resources: list resources."""

from domain.bookings.resources import Resource
from domain.common.errors import CursorInvalid
from domain.common.pages import Page, PageRequest
from domain.identity.permissions import Permission
from handlers.dependencies.bookings.resources import Resources
from handlers.http.parameters import Cursor, Limit
from handlers.http.route import Route

api = Route()


@api.get("/v1/resources", permission=Permission.RESOURCES_READ, packages="calendar", raises=[CursorInvalid])
def list_resources(resources: Resources, limit: Limit = 50, cursor: Cursor = None) -> Page[Resource]:
    """List resources, newest first, archived ones too."""
    return resources.page(PageRequest(limit, cursor))


handler = api.handler
