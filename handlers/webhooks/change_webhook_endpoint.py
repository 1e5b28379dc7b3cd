"""PATCH /v1/webhook-endpoints/{endpoint_id}: change a webhook endpoint."""

from domain.common.errors import Contention, NotFound, PreconditionFailed
from domain.identity.permissions import Permission
from domain.webhooks import Endpoint, EndpointPatch
from handlers.dependencies.webhooks import Endpoints
from handlers.http.errors import PreconditionRequired
from handlers.http.etags import versions_in
from handlers.http.parameters import IfMatch
from handlers.http.route import Route

api = Route()


@api.patch(
    "/v1/webhook-endpoints/<endpoint_id>",
    permission=Permission.WEBHOOKS,
    raises=[Contention, NotFound, PreconditionFailed, PreconditionRequired],
)
def change_webhook_endpoint(
    endpoint_id: str, patch: EndpointPatch, if_match: IfMatch, endpoints: Endpoints
) -> Endpoint:
    """Change a webhook endpoint. Fields left out are unchanged; `status` disables it, or enables it again.

    What happened while it was disabled is not delivered.
    """
    return endpoints.change(endpoint_id, patch, versions_in(if_match))


handler = api.handler
