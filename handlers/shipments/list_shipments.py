"""GET /v1/orders/{order_id}/shipments: list the shipments of an order."""

from domain.common.errors import Contention, CursorInvalid, NotFound
from domain.common.pages import Page, PageRequest
from domain.identity.permissions import Permission
from domain.orders.parts import Shipment
from handlers.dependencies.orders import Orders
from handlers.http.parameters import Cursor, Limit
from handlers.http.route import Route

api = Route()


@api.get(
    "/v1/orders/<order_id>/shipments", permission=Permission.ORDERS_OWN, raises=[NotFound, CursorInvalid, Contention]
)
def list_shipments(order_id: str, orders: Orders, limit: Limit = 50, cursor: Cursor = None) -> Page[Shipment]:
    """List the shipments of an order, newest first. Customers get 404 for another's order."""
    return orders.shipments(order_id, PageRequest(limit, cursor))


handler = api.handler
