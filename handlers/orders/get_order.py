"""GET /v1/orders/{order_id}: read an order."""

from domain.access import Permission
from domain.errors import Contention, NotFound
from domain.orders import Order
from handlers.api import Api
from handlers.orders import Orders
from repositories.access import Access

api = Api()


@api.get("/v1/orders/<order_id>", permission=Permission.ORDERS_READ, access=[Access.GET], raises=[NotFound, Contention])
def get_order(order_id: str, orders: Orders) -> Order:
    """Read an order. Customers read their own only."""
    return orders.get(order_id)


handler = api.handler
