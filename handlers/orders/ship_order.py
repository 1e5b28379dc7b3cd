"""POST /v1/orders/{order_id}/ship: ship all units of an order that remain."""

from domain.common.errors import Contention, InvalidState, NotFound
from domain.identity.permissions import Permission
from domain.orders.order import Order
from handlers.dependencies.orders import Orders
from handlers.http.route import Route

api = Route()


@api.post(
    "/v1/orders/<order_id>/ship",
    permission=Permission.ORDERS_MANAGE,
    raises=[NotFound, InvalidState, Contention],
)
def ship_order(order_id: str, orders: Orders) -> Order:
    """Ship all units of a paid order that remain. They leave the stock. Returns the order. 409 if it is not paid."""
    return orders.ship(order_id)


handler = api.handler
