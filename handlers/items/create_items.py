"""POST /v1/items/batch: add up to 100 items, each independently."""

from domain.common.errors import IdempotencyInProgress
from domain.identity.permissions import Permission
from domain.items import NewItems
from handlers.dependencies.items import Items
from handlers.http.batch import BatchResults, report
from handlers.http.dependencies import CurrentCall
from handlers.http.route import Route

api = Route()


@api.post(
    "/v1/items/batch",
    permission=Permission.ITEMS_WRITE,
    raises=[IdempotencyInProgress],
    rate_limit=20,
)
def create_items(batch: NewItems, items: Items, call: CurrentCall) -> BatchResults:
    """Add up to 100 items. A rejected row does not stop the others. Returns the item or the problem of each row."""
    created = items.create_all(batch.items)
    return items.finish(created, report(created.outcomes, call))


handler = api.handler
