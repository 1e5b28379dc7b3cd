"""POST /v1/orders/{order_id}/deliver: mark an order as delivered."""

from domain.common.errors import Contention, InvalidState, NotFound
from domain.identity.permissions import Permission
from domain.orders.order import Order
from handlers.dependencies.orders import Orders
from handlers.http.route import Route

api = Route()


@api.post(
    "/v1/orders/<order_id>/deliver",
    permission=Permission.ORDERS_MANAGE,
    raises=[NotFound, InvalidState, Contention],
)
def deliver_order(order_id: str, orders: Orders) -> Order:
    """Mark a shipped order as delivered. Returns the order. 409 if it is not shipped."""
    return orders.deliver(order_id)


handler = api.handler
