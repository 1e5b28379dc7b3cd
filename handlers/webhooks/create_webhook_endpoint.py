"""POST /v1/webhook-endpoints: add a webhook endpoint."""

from domain.common.errors import InvalidState
from domain.identity.permissions import Permission
from domain.webhooks import EndpointWithSecret, NewEndpoint
from handlers.dependencies.webhooks import Endpoints
from handlers.http.route import Route
from repositories.webhooks.secrets import with_secret

api = Route()


@api.post(
    "/v1/webhook-endpoints",
    permission=Permission.WEBHOOKS,
    status=201,
    raises=[InvalidState],
    reveal=with_secret,
)
def create_webhook_endpoint(new: NewEndpoint, endpoints: Endpoints) -> EndpointWithSecret:
    """Add an endpoint: events that happen from now on are posted to its URL, signed by Standard Webhooks.

    `secret` is shown only here. The URL must be https, and its host have public addresses only. At most 20 endpoints.
    """
    return endpoints.create(new)


handler = api.handler
