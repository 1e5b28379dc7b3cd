"""GET /v1/orders/{order_id}/shipments: list the shipments of an order."""

from domain.common.errors import Contention, NotFound
from domain.common.pages import Page
from domain.identity.permissions import Permission
from domain.orders.shipments import Shipment
from handlers.dependencies.orders import Orders
from handlers.http.route import Route

api = Route()


@api.get("/v1/orders/<order_id>/shipments", permission=Permission.ORDERS_OWN, raises=[NotFound, Contention])
def list_shipments(order_id: str, orders: Orders) -> Page[Shipment]:
    """List the shipments of an order, oldest first; there is never more than one page."""
    return orders.shipments(order_id)


handler = api.handler
