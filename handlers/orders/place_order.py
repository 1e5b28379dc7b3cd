"""POST /v1/orders: place an order."""

from domain.common.errors import Contention, InvalidState, ItemArchived, NotFound, OutOfStock, PriceChanged
from domain.identity.permissions import Permission
from domain.orders import NewOrder, Order
from handlers.dependencies.orders import Orders
from handlers.http.route import Route

api = Route()


@api.post(
    "/v1/orders",
    permission=Permission.ORDERS_PLACE,
    status=201,
    raises=[NotFound, OutOfStock, PriceChanged, ItemArchived, InvalidState, Contention],
    idempotency_key="required",
)
def place_order(new: NewOrder, orders: Orders) -> Order:
    """Place an order: all of its stock is reserved, or nothing happens. Staff and owners may name the customer."""
    if new.customer_id is not None:
        orders.caller.require_own_or(Permission.ORDERS_MANAGE, new.customer_id)
    return orders.place(new)


handler = api.handler
