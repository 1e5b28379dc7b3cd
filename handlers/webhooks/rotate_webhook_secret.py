"""POST /v1/webhook-endpoints/{endpoint_id}/rotate-secret: give a webhook endpoint a new secret."""

from domain.common.errors import Contention, NotFound
from domain.identity.permissions import Permission
from domain.webhooks import EndpointWithSecret
from handlers.dependencies.webhooks import Endpoints
from handlers.http.route import Route
from repositories.webhooks.secrets import with_secret

api = Route()


@api.post(
    "/v1/webhook-endpoints/<endpoint_id>/rotate-secret",
    permission=Permission.WEBHOOKS,
    raises=[NotFound, Contention],
    reveal=with_secret,
)
def rotate_webhook_secret(endpoint_id: str, endpoints: Endpoints) -> EndpointWithSecret:
    """Give a webhook endpoint a new secret, which is shown only here. The old one signs along for 24 hours."""
    return endpoints.rotate_secret(endpoint_id)


handler = api.handler
