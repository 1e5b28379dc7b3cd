"""GET /v1/webhook-endpoints: list webhook endpoints."""

from domain.common.errors import CursorInvalid
from domain.common.pages import Page, PageRequest
from domain.identity.permissions import Permission
from domain.webhooks import Endpoint
from handlers.dependencies.webhooks import Endpoints
from handlers.http.parameters import Cursor, Limit
from handlers.http.route import Route

api = Route()


@api.get("/v1/webhook-endpoints", permission=Permission.WEBHOOKS, raises=[CursorInvalid])
def list_webhook_endpoints(endpoints: Endpoints, limit: Limit = 50, cursor: Cursor = None) -> Page[Endpoint]:
    """List webhook endpoints, newest first."""
    return endpoints.page(PageRequest(limit, cursor))


handler = api.handler
