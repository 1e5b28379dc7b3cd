"""POST /v1/orders/quote: show what an order would come to."""

from domain.common.errors import Contention, DiscountInvalid, InvalidState, ItemArchived, NotFound, PriceChanged
from domain.identity.permissions import Permission
from domain.orders.amounts import Quote
from domain.orders.checkout import NewOrder
from handlers.dependencies.orders import Orders
from handlers.http.route import Route

api = Route()


@api.post(
    "/v1/orders/quote",
    permission=Permission.ORDERS_PLACE,
    raises=[NotFound, PriceChanged, DiscountInvalid, ItemArchived, InvalidState, Contention],
    idempotency_key="ignored",
    reads=True,
)
def quote_order(new: NewOrder, orders: Orders) -> Quote:
    """Show what an order would come to: the same body as for placing it. Nothing is reserved or written."""
    orders.require_may_set(new)
    return orders.quote(new)


handler = api.handler
