"""DELETE /v1/items/{item_id}: archive an item."""

from domain.common.errors import Contention, NotFound, PreconditionFailed, PreconditionRequired
from domain.identity.permissions import Permission
from handlers.dependencies.items import Items
from handlers.http.parameters import IfMatch
from handlers.http.responses import versions_in
from handlers.http.route import Api
from repositories.dynamodb.iam_actions import Access

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
