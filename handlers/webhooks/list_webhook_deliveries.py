"""GET /v1/webhook-endpoints/{endpoint_id}/deliveries: list the deliveries to a webhook endpoint."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from domain.common.errors import Contention, CursorInvalid, NotFound
from domain.common.pages import Page, PageRequest
from domain.identity.permissions import Permission
from domain.webhooks import Delivery, DeliveryStatus
from handlers.dependencies.webhooks import Endpoints
from handlers.http.parameters import Cursor, Limit
from handlers.http.route import Route

api = Route()


@api.get(
    "/v1/webhook-endpoints/<endpoint_id>/deliveries",
    permission=Permission.WEBHOOKS,
    raises=[NotFound, CursorInvalid, Contention],
)
def list_webhook_deliveries(
    endpoint_id: str,
    endpoints: Endpoints,
    status: Annotated[DeliveryStatus | None, Query(description="Only deliveries with this status.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[Delivery]:
    """List the deliveries of the last 30 days to a webhook endpoint, newest event first, with their last attempts."""
    return endpoints.deliveries(endpoint_id, status, PageRequest(limit, cursor))


handler = api.handler
