"""GET /v1/payments/{payment_id}: get a payment."""

from domain.common.errors import Contention, NotFound
from domain.identity.permissions import Permission
from domain.payments.payment import Payment
from handlers.dependencies.providers import Reader
from handlers.http.route import Route

api = Route()


@api.get("/v1/payments/<payment_id>", permission=Permission.ORDERS_OWN, raises=[NotFound, Contention])
def get_payment(payment_id: str, payments: Reader) -> Payment:
    """Get a payment. Customers get 404 for another's. Its provider is not asked; see `refresh`."""
    return payments.get(payment_id)


handler = api.handler
