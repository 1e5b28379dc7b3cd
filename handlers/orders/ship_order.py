"""POST /v1/orders/{order_id}/ship: ship a paid order."""

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
    """Ship a paid order. Its reserved units leave the stock. Returns the order. 409 if it is not paid."""
    return orders.ship(order_id)


handler = api.handler
