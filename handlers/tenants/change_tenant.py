"""PATCH /v1/tenants/{tenant_id}: change a tenant by a JSON merge patch (RFC 7396)."""

from domain.common.errors import Contention, NotFound, PreconditionFailed
from domain.identity.tenants import Tenant, TenantPatch
from handlers.dependencies.tenants import Tenants
from handlers.http.declaration import IAM
from handlers.http.errors import PreconditionRequired
from handlers.http.etags import versions_in
from handlers.http.parameters import IfMatch
from handlers.http.route import Route

api = Route()


@api.patch(
    "/v1/tenants/<tenant_id>",
    permission=IAM,
    raises=[NotFound, PreconditionFailed, PreconditionRequired, Contention],
)
def change_tenant(
    tenant_id: str,  # noqa: ARG001 - the session is for this tenant
    patch: TenantPatch,
    if_match: IfMatch,
    tenants: Tenants,
) -> Tenant:
    """Change a tenant's name, currencies or settings. Fields left out are unchanged."""
    return tenants.change(patch, versions_in(if_match))


handler = api.handler
