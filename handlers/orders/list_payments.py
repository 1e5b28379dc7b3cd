"""GET /v1/orders/{order_id}/payments: list the payments of an order."""

from domain.common.errors import Contention, CursorInvalid, NotFound
from domain.common.pages import Page, PageRequest
from domain.identity.permissions import Permission
from domain.payments.payment import Payment
from handlers.dependencies.providers import Reader
from handlers.http.parameters import Cursor, Limit
from handlers.http.route import Route

api = Route()


@api.get(
    "/v1/orders/<order_id>/payments", permission=Permission.ORDERS_OWN, raises=[NotFound, CursorInvalid, Contention]
)
def list_payments(order_id: str, payments: Reader, limit: Limit = 50, cursor: Cursor = None) -> Page[Payment]:
    """List the payments of an order, newest first. Customers get 404 for another's order."""
    return payments.page(order_id, PageRequest(limit, cursor))


handler = api.handler
