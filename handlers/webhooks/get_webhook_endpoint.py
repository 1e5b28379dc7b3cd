"""GET /v1/webhook-endpoints/{endpoint_id}: get a webhook endpoint."""

from domain.common.errors import Contention, NotFound
from domain.identity.permissions import Permission
from domain.webhooks import Endpoint
from handlers.dependencies.webhooks import Endpoints
from handlers.http.route import Route

api = Route()


@api.get("/v1/webhook-endpoints/<endpoint_id>", permission=Permission.WEBHOOKS, raises=[NotFound, Contention])
def get_webhook_endpoint(endpoint_id: str, endpoints: Endpoints) -> Endpoint:
    """Get a webhook endpoint. `disabled_reason` says why it was disabled by Tradepost."""
    return endpoints.get(endpoint_id)


handler = api.handler
