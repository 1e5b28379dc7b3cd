"""POST /v1/orders/{order_id}/deliver: note that an order arrived."""

from domain.common.errors import Contention, InvalidState, NotFound
from domain.identity.permissions import Permission
from domain.orders import Order
from handlers.dependencies.orders import Orders
from handlers.http.route import Route

api = Route()


@api.post(
    "/v1/orders/<order_id>/deliver",
    permission=Permission.ORDERS_MANAGE,
    raises=[NotFound, InvalidState, Contention],
)
def deliver_order(order_id: str, orders: Orders) -> Order:
    """Note that an order arrived."""
    return orders.deliver(order_id)


handler = api.handler
