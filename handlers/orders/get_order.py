"""GET /v1/orders/{order_id}: get an order."""

from domain.common.errors import Contention, NotFound
from domain.identity.permissions import Permission
from domain.orders.order import Order
from handlers.dependencies.orders import Orders
from handlers.http.route import Route

api = Route()


@api.get("/v1/orders/<order_id>", permission=Permission.ORDERS_OWN, raises=[NotFound, Contention])
def get_order(order_id: str, orders: Orders) -> Order:
    """Get an order. Customers get 404 for an order that is not their own."""
    return orders.get(order_id)


handler = api.handler
