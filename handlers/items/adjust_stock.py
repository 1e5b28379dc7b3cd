"""POST /v1/items/{item_id}/stock: count units in or out."""

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
    """Add to or take from the units on hand, never below what is reserved."""
    return items.adjust_stock(item_id, adjustment)


handler = api.handler
