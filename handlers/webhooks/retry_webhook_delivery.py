"""POST /v1/webhook-endpoints/{endpoint_id}/deliveries/{event_id}/retry: deliver an event again."""

from domain.common.errors import Contention, InvalidState, NotFound
from domain.identity.permissions import Permission
from domain.webhooks import Delivery
from handlers.dependencies.webhooks import Endpoints
from handlers.http.route import Route

api = Route()


@api.post(
    "/v1/webhook-endpoints/<endpoint_id>/deliveries/<event_id>/retry",
    permission=Permission.WEBHOOKS,
    status=202,
    raises=[NotFound, InvalidState, Contention],
)
def retry_webhook_delivery(endpoint_id: str, event_id: str, endpoints: Endpoints) -> Delivery:
    """Deliver an event to a webhook endpoint again, now, whatever came of it before.

    The schedule of attempts begins anew.
    """
    return endpoints.retry(endpoint_id, event_id)


handler = api.handler
