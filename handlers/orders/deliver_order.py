"""POST /v1/orders/{order_id}/deliver: note that an order arrived."""

from domain.access import Permission
from domain.errors import Contention, InvalidState, NotFound
from domain.orders import Order
from handlers.api import Api
from handlers.orders import Orders
from repositories.access import Access

api = Api()


@api.post(
    "/v1/orders/<order_id>/deliver",
    permission=Permission.ORDERS_MANAGE,
    access=[Access.GET, Access.BATCH_GET, Access.PUT],
    raises=[NotFound, InvalidState, Contention],
    asks_along=True,
)
def deliver_order(order_id: str, orders: Orders) -> Order:
    """Note that an order arrived."""
    return orders.deliver(order_id)


handler = api.handler
