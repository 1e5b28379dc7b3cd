"""DELETE /v1/webhook-endpoints/{endpoint_id}: delete a webhook endpoint."""

from domain.common.errors import Contention, NotFound, PreconditionFailed
from domain.identity.permissions import Permission
from handlers.dependencies.webhooks import Endpoints
from handlers.http.etags import versions_in
from handlers.http.parameters import OptionalIfMatch
from handlers.http.route import Route

api = Route()


@api.delete(
    "/v1/webhook-endpoints/<endpoint_id>",
    permission=Permission.WEBHOOKS,
    status=204,
    raises=[Contention, NotFound, PreconditionFailed],
)
def delete_webhook_endpoint(endpoint_id: str, endpoints: Endpoints, if_match: OptionalIfMatch = None) -> None:
    """Delete a webhook endpoint. What was not delivered to it is dropped."""
    endpoints.delete(endpoint_id, versions_in(if_match) if if_match else None)


handler = api.handler
