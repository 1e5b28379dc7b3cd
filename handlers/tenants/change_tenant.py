"""PATCH /v1/tenants/{tenant_id}: change a tenant by a JSON merge patch (RFC 7396)."""

from domain.common.errors import Contention, NotFound, PreconditionFailed, PreconditionRequired
from domain.identity.tenants import Tenant, TenantPatch
from handlers.dependencies.tenants import Tenants
from handlers.http.parameters import IfMatch
from handlers.http.responses import versions_in
from handlers.http.route import IAM, Api
from repositories.dynamodb.iam_actions import Access

api = Api()


@api.patch(
    "/v1/tenants/<tenant_id>",
    permission=IAM,
    access=[Access.GET, Access.PUT],
    raises=[NotFound, PreconditionFailed, PreconditionRequired, Contention],
)
def change_tenant(
    tenant_id: str,  # noqa: ARG001 - the session is for this tenant
    patch: TenantPatch,
    if_match: IfMatch,
    tenants: Tenants,
) -> Tenant:
    """Change a tenant: its name, currencies and settings."""
    return tenants.change(patch, versions_in(if_match))


handler = api.handler
