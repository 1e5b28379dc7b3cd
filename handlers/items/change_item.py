"""PATCH /v1/items/{item_id}: change an item by a JSON merge patch (RFC 7396)."""

from domain.access import Permission
from domain.errors import Contention, ItemArchived, NotFound, PreconditionFailed, PreconditionRequired, SkuTaken
from domain.items import Item, ItemPatch
from handlers.answers import versions_in
from handlers.api import Api
from handlers.items import Items
from handlers.parameters import IfMatch
from repositories.access import Access

api = Api()


@api.patch(
    "/v1/items/<item_id>",
    permission=Permission.ITEMS_WRITE,
    access=[Access.GET, Access.QUERY, Access.PUT, Access.UPDATE, Access.DELETE],
    raises=[Contention, NotFound, ItemArchived, SkuTaken, PreconditionFailed, PreconditionRequired],
)
def change_item(item_id: str, patch: ItemPatch, if_match: IfMatch, items: Items) -> Item:
    """Change an item: a field left out stays, null removes."""
    return items.change(item_id, patch, versions_in(if_match))


handler = api.handler
