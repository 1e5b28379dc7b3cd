"""POST /v1/items: add an item to the tenant's catalogue."""

from domain.access import Permission
from domain.errors import SkuTaken
from domain.items import Item, NewItem
from handlers.api import Api
from handlers.items import Items
from repositories.access import Access

api = Api()


@api.post(
    "/v1/items", permission=Permission.ITEMS_WRITE, access=[Access.GET, Access.PUT], status=201, raises=[SkuTaken]
)
def create_item(new: NewItem, items: Items) -> Item:
    """Add an item."""
    return items.create(new)


handler = api.handler
