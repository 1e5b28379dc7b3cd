"""POST /v1/orders/{order_id}/cancel: call an order off."""

from domain.common.errors import Contention, InvalidState, NotFound
from domain.identity.permissions import Permission
from domain.orders import Order
from handlers.dependencies.orders import Orders
from handlers.http.route import Route

api = Route()


@api.post(
    "/v1/orders/<order_id>/cancel",
    permission=Permission.ORDERS_OWN,
    raises=[NotFound, InvalidState, Contention],
)
def cancel_order(order_id: str, orders: Orders) -> Order:
    """Call an order off that is not paid. Its stock is free again. Customers cancel their own only."""
    return orders.cancel(order_id)


handler = api.handler
