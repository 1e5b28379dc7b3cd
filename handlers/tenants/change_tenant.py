"""PATCH /v1/tenants/{tenant_id}: change a tenant by a JSON merge patch (RFC 7396)."""

from domain.errors import Contention, NotFound, PreconditionFailed, PreconditionRequired
from domain.tenants import Tenant, TenantPatch
from handlers.answers import versions_in
from handlers.api import IAM, Api
from handlers.parameters import IfMatch
from handlers.tenants import Tenants
from repositories.access import Access

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
