"""DELETE /v1/items/{item_id}: archive an item."""

from domain.access import Permission
from domain.errors import Contention, NotFound, PreconditionFailed, PreconditionRequired
from handlers.answers import versions_in
from handlers.api import Api
from handlers.items import Items
from handlers.parameters import IfMatch
from repositories.access import Access

api = Api()


@api.delete(
    "/v1/items/<item_id>",
    permission=Permission.ITEMS_WRITE,
    access=[Access.GET, Access.QUERY, Access.PUT, Access.UPDATE],
    status=204,
    raises=[Contention, NotFound, PreconditionFailed, PreconditionRequired],
)
def archive_item(item_id: str, if_match: IfMatch, items: Items) -> None:
    """Take an item out of sale. It stays readable."""
    items.archive(item_id, versions_in(if_match))


handler = api.handler
