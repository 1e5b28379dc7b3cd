"""GET /v1/tenants/{tenant_id}: read a tenant."""

from domain.errors import NotFound
from domain.tenants import Tenant
from handlers.api import IAM, Api
from handlers.tenants import Tenants
from repositories.access import Access

api = Api()


@api.get("/v1/tenants/<tenant_id>", permission=IAM, access=[Access.GET], raises=[NotFound])
def get_tenant(tenant_id: str, tenants: Tenants) -> Tenant:  # noqa: ARG001 - the session is for this tenant
    """Read a tenant."""
    return tenants.get()


handler = api.handler
