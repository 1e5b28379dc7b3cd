"""POST /v1/items/{item_id}/stock-buckets: spread an item's stock over buckets."""

from domain.common.errors import Contention, InvalidState, NotFound
from domain.identity.permissions import Permission
from domain.items import Item
from domain.stock import StockSplit
from handlers.dependencies.items import Items
from handlers.http.route import Route

api = Route()


@api.post(
    "/v1/items/<item_id>/stock-buckets",
    permission=Permission.ITEMS_WRITE,
    raises=[NotFound, InvalidState, Contention],
)
def split_stock(item_id: str, split: StockSplit, items: Items) -> Item:
    """Spread an item's available units over buckets. Concurrent orders then conflict less.

    Returns the item. 409 if its stock is not counted.
    """
    return items.split_stock(item_id, split.count)


handler = api.handler
