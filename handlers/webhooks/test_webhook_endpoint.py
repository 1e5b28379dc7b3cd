"""POST /v1/webhook-endpoints/{endpoint_id}/test: send a test to a webhook endpoint."""

from domain.common.errors import Contention, InvalidState, NotFound
from domain.identity.permissions import Permission
from domain.webhooks import Delivery
from handlers.dependencies.webhooks import Endpoints
from handlers.http.route import Route

api = Route()


@api.post(
    "/v1/webhook-endpoints/<endpoint_id>/test",
    permission=Permission.WEBHOOKS,
    status=202,
    raises=[NotFound, InvalidState, Contention],
)
def test_webhook_endpoint(endpoint_id: str, endpoints: Endpoints) -> Delivery:
    """Send an event of the type `tradepost.webhook.test` to a webhook endpoint. Its deliveries show what came of it."""
    return endpoints.test(endpoint_id)


handler = api.handler
