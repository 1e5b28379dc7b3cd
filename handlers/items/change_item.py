"""PATCH /v1/items/{item_id}: change an item by a JSON merge patch (RFC 7396)."""

from domain.common.errors import Contention, ItemArchived, NotFound, PreconditionFailed, PreconditionRequired, SkuTaken
from domain.identity.permissions import Permission
from domain.items import Item, ItemPatch
from handlers.dependencies.items import Items
from handlers.http.parameters import IfMatch
from handlers.http.responses import versions_in
from handlers.http.route import Api
from repositories.dynamodb.iam_actions import Access

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
