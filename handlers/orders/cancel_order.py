"""POST /v1/orders/{order_id}/cancel: cancel an unpaid order."""

from domain.common.errors import Contention, InvalidState, NotFound, PaymentInProgress
from domain.identity.permissions import Permission
from domain.orders.order import Order
from handlers.dependencies.orders import Orders
from handlers.http.route import Route

api = Route()


@api.post(
    "/v1/orders/<order_id>/cancel",
    permission=Permission.ORDERS_OWN,
    raises=[NotFound, InvalidState, Contention, PaymentInProgress],
)
def cancel_order(order_id: str, orders: Orders) -> Order:
    """Cancel an unpaid order. Its reserved units are released, and the use of its discount code is given back.

    Customers can cancel only their own orders. Returns the order. 409 if it is not pending.
    """
    return orders.cancel(order_id)


handler = api.handler
