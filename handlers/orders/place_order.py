"""POST /v1/orders: place an order."""

from domain.common.errors import (
    Contention,
    DiscountInvalid,
    InvalidState,
    ItemArchived,
    NotFound,
    OutOfStock,
    PriceChanged,
)
from domain.identity.permissions import Permission
from domain.orders.checkout import NewOrder
from domain.orders.order import Order
from handlers.dependencies.orders import Orders
from handlers.http.route import Route

api = Route()


@api.post(
    "/v1/orders",
    permission=Permission.ORDERS_PLACE,
    status=201,
    raises=[NotFound, OutOfStock, PriceChanged, DiscountInvalid, ItemArchived, InvalidState, Contention],
    idempotency_key="required",
)
def place_order(new: NewOrder, orders: Orders) -> Order:
    """Place an order. All of its units are reserved, or the order is rejected and nothing is reserved.

    Staff and owners can order for a customer (`customer_id`) and set `charges`. Returns the order, which is pending
    until it is paid. 409 if stock is insufficient or in too many buckets, an item is archived, the discount code cannot
    be used, a price differs from `unit_price`, or the total from `expected_total`.
    """
    orders.require_may_set(new)
    return orders.place(new)


handler = api.handler
