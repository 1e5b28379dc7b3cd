"""GET /v1/items/{item_id}/stock-buckets: get an item's stock by bucket."""

from domain.common.errors import Contention, InvalidState, NotFound
from domain.identity.permissions import Permission
from domain.stock import StockBuckets
from handlers.dependencies.items import Items
from handlers.http.route import Route

api = Route()


@api.get(
    "/v1/items/<item_id>/stock-buckets",
    permission=Permission.ITEMS_WRITE,
    raises=[NotFound, InvalidState, Contention],
)
def get_stock_buckets(item_id: str, items: Items) -> StockBuckets:
    """Get an item's stock by bucket. 409 if its stock is not counted."""
    return items.stock_buckets(item_id)


handler = api.handler
