"""GET /v1/orders/{order_id}/refunds: list the refunds of an order."""

from domain.common.errors import Contention, CursorInvalid, NotFound
from domain.common.pages import Page, PageRequest
from domain.identity.permissions import Permission
from domain.orders.parts import Refund
from handlers.dependencies.orders import Orders
from handlers.http.parameters import Cursor, Limit
from handlers.http.route import Route

api = Route()


@api.get(
    "/v1/orders/<order_id>/refunds", permission=Permission.ORDERS_OWN, raises=[NotFound, CursorInvalid, Contention]
)
def list_refunds(order_id: str, orders: Orders, limit: Limit = 50, cursor: Cursor = None) -> Page[Refund]:
    """List the refunds of an order, newest first. Customers get 404 for another's order."""
    return orders.refunds(order_id, PageRequest(limit, cursor))


handler = api.handler
