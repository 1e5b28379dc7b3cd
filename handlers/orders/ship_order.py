"""POST /v1/orders/{order_id}/ship: send an order off."""

from domain.common.errors import Contention, InvalidState, NotFound
from domain.identity.permissions import Permission
from domain.orders import Order
from handlers.dependencies.orders import Orders
from handlers.http.route import Route

api = Route()


@api.post(
    "/v1/orders/<order_id>/ship",
    permission=Permission.ORDERS_MANAGE,
    raises=[NotFound, InvalidState, Contention],
)
def ship_order(order_id: str, orders: Orders) -> Order:
    """Send a paid order off. Its stock is gone."""
    return orders.ship(order_id)


handler = api.handler
