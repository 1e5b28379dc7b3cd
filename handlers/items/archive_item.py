"""DELETE /v1/items/{item_id}: archive an item."""

from domain.common.errors import Contention, NotFound, PreconditionFailed
from domain.identity.permissions import Permission
from handlers.dependencies.items import Items
from handlers.http.errors import PreconditionRequired
from handlers.http.etags import versions_in
from handlers.http.parameters import IfMatch
from handlers.http.route import Route

api = Route()


@api.delete(
    "/v1/items/<item_id>",
    permission=Permission.ITEMS_WRITE,
    status=204,
    raises=[Contention, NotFound, PreconditionFailed, PreconditionRequired],
)
def archive_item(item_id: str, if_match: IfMatch, items: Items) -> None:
    """Archive an item. It can no longer be ordered or edited; staff and owners can still read it."""
    items.archive(item_id, versions_in(if_match))


handler = api.handler
