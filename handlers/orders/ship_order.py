"""POST /v1/orders/{order_id}/ship: send an order off."""

from domain.access import Permission
from domain.errors import Contention, InvalidState, NotFound
from domain.orders import Order
from handlers.api import Api
from handlers.orders import Orders
from repositories.access import Access

api = Api()


@api.post(
    "/v1/orders/<order_id>/ship",
    permission=Permission.ORDERS_MANAGE,
    access=[Access.GET, Access.BATCH_GET, Access.PUT, Access.UPDATE],
    raises=[NotFound, InvalidState, Contention],
    asks_along=True,
)
def ship_order(order_id: str, orders: Orders) -> Order:
    """Send a paid order off. Its stock is gone."""
    return orders.ship(order_id)


handler = api.handler
