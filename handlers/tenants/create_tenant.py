"""POST /v1/tenants: add a tenant and its owner."""

from domain.common.errors import Contention, EmailTaken, InvalidState
from domain.identity.tenants import NewTenant, Tenant
from handlers.dependencies.tenants import Tenants
from handlers.http.declaration import IAM
from handlers.http.route import Route

api = Route()


@api.post(
    "/v1/tenants",
    permission=IAM,
    status=201,
    raises=[InvalidState, EmailTaken, Contention],
)
def create_tenant(new: NewTenant, tenants: Tenants) -> Tenant:
    """Add a tenant and its owner. The owner is sent an invitation. 409 if the id or address is taken."""
    return tenants.create(new)


handler = api.handler
