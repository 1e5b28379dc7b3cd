"""PATCH /v1/items/{item_id}: change an item by a JSON merge patch (RFC 7396)."""

from domain.common.errors import Contention, ItemArchived, NotFound, PreconditionFailed, SkuTaken
from domain.identity.permissions import Permission
from domain.items import Item, ItemPatch
from handlers.dependencies.items import Items
from handlers.http.errors import PreconditionRequired
from handlers.http.etags import versions_in
from handlers.http.parameters import IfMatch
from handlers.http.route import Route

api = Route()


@api.patch(
    "/v1/items/<item_id>",
    permission=Permission.ITEMS_WRITE,
    raises=[Contention, NotFound, ItemArchived, SkuTaken, PreconditionFailed, PreconditionRequired],
)
def change_item(item_id: str, patch: ItemPatch, if_match: IfMatch, items: Items) -> Item:
    """Change an item. Fields left out are unchanged; null removes a field. 409 if archived, or if the SKU is taken."""
    return items.change(item_id, patch, versions_in(if_match))


handler = api.handler
