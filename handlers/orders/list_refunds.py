"""GET /v1/orders/{order_id}/refunds: list the refunds of an order."""

from domain.common.errors import Contention, NotFound
from domain.common.pages import Page
from domain.identity.permissions import Permission
from domain.orders.refunds import Refund
from handlers.dependencies.orders import Orders
from handlers.http.route import Route

api = Route()


@api.get("/v1/orders/<order_id>/refunds", permission=Permission.ORDERS_OWN, raises=[NotFound, Contention])
def list_refunds(order_id: str, orders: Orders) -> Page[Refund]:
    """List the refunds of an order, oldest first; there is never more than one page."""
    return orders.refunds(order_id)


handler = api.handler
