"""GET /v1/tenants: list the tenants."""

from domain.common.errors import CursorInvalid
from domain.common.pages import Page, PageRequest
from domain.identity.tenants import Tenant
from handlers.dependencies.tenants import Tenants
from handlers.http.declaration import IAM
from handlers.http.parameters import Cursor, Limit
from handlers.http.route import Route

api = Route()


@api.get("/v1/tenants", permission=IAM, raises=[CursorInvalid])
def list_tenants(tenants: Tenants, limit: Limit = 50, cursor: Cursor = None) -> Page[Tenant]:
    """List tenants, newest first."""
    return tenants.page(PageRequest(limit, cursor))


handler = api.handler
