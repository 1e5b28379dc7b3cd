"""POST /v1/items/{item_id}/stock: add or remove units on hand."""

from domain.common.errors import Contention, InvalidState, NotFound, OutOfStock
from domain.identity.permissions import Permission
from domain.items import Item
from domain.stock import StockAdjustment
from handlers.dependencies.items import Items
from handlers.http.route import Route

api = Route()


@api.post(
    "/v1/items/<item_id>/stock",
    permission=Permission.ITEMS_WRITE,
    raises=[NotFound, OutOfStock, InvalidState, Contention],
    idempotency_key="required",
)
def adjust_stock(item_id: str, adjustment: StockAdjustment, items: Items) -> Item:
    """Add or remove units on hand. Returns the item.

    409 if reserved units would be removed, the maximum stock would be exceeded, or the stock is not counted.
    """
    return items.adjust_stock(item_id, adjustment)


handler = api.handler
