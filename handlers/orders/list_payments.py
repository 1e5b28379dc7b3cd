"""GET /v1/orders/{order_id}/payments: list the payments of an order."""

from domain.common.errors import Contention, NotFound
from domain.common.pages import Page
from domain.identity.permissions import Permission
from domain.payments import Payment
from handlers.dependencies.orders import Orders
from handlers.http.route import Route

api = Route()


@api.get("/v1/orders/<order_id>/payments", permission=Permission.ORDERS_OWN, raises=[NotFound, Contention])
def list_payments(order_id: str, orders: Orders) -> Page[Payment]:
    """List the payments of an order; there are never more than one page. Customers get 404 for another's order."""
    return orders.payments(order_id)


handler = api.handler
