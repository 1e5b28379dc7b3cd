"""GET /v1/tenants/{tenant_id}: get a tenant."""

from domain.common.errors import NotFound
from domain.identity.tenants import Tenant
from handlers.dependencies.tenants import Tenants
from handlers.http.declaration import IAM
from handlers.http.route import Route

api = Route()


@api.get("/v1/tenants/<tenant_id>", permission=IAM, raises=[NotFound])
def get_tenant(tenant_id: str, tenants: Tenants) -> Tenant:  # noqa: ARG001 - the session is for this tenant
    """Get a tenant."""
    return tenants.get()


handler = api.handler
