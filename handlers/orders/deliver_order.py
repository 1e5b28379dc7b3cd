"""POST /v1/orders/{order_id}/deliver: note that an order arrived."""

from domain.common.errors import Contention, InvalidState, NotFound
from domain.identity.permissions import Permission
from domain.orders import Order
from handlers.dependencies.orders import Orders
from handlers.http.route import Api
from repositories.dynamodb.iam_actions import Access

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
