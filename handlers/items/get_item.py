"""GET /v1/items/{item_id}: get an item."""

from domain.common.errors import Contention, NotFound
from domain.identity.permissions import Permission
from domain.items import Item, ItemStatus
from handlers.dependencies.items import Items
from handlers.http.route import Route

api = Route()


@api.get(
    "/v1/items/<item_id>",
    permission=Permission.ITEMS_READ,
    raises=[NotFound, Contention],
)
def get_item(item_id: str, items: Items) -> Item:
    """Get an item. Customers get 404 for an archived item."""
    item = items.get(item_id)
    if item.status is ItemStatus.ARCHIVED and not items.caller.may(Permission.ITEMS_READ_ARCHIVED):
        raise NotFound("item")
    return item


handler = api.handler
