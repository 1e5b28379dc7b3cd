"""POST /v1/items: add an item to the tenant's catalogue."""

from domain.common.errors import SkuTaken
from domain.identity.permissions import Permission
from domain.items import Item, NewItem
from handlers.dependencies.items import Items
from handlers.http.route import Route

api = Route()


@api.post("/v1/items", permission=Permission.ITEMS_WRITE, status=201, raises=[SkuTaken])
def create_item(new: NewItem, items: Items) -> Item:
    """Add an item to the catalogue. Returns the item. 409 if another item has the SKU."""
    return items.create(new)


handler = api.handler
