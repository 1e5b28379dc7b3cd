"""POST /v1/items/batch: add up to 100 items, each by itself."""

from domain.access import Permission
from domain.errors import IdempotencyInProgress
from domain.items import NewItems
from handlers.api import Api
from handlers.batch import BatchResults, report
from handlers.items import Items
from handlers.parameters import CallParameter
from repositories.access import Access

api = Api()


@api.post(
    "/v1/items/batch",
    permission=Permission.ITEMS_WRITE,
    access=[Access.GET, Access.PUT],
    raises=[IdempotencyInProgress],
)
def create_items(batch: NewItems, items: Items, call: CallParameter) -> BatchResults:
    """Add items; a bad row does not stop the others."""
    return items.create_all(batch.items, lambda outcomes: report(outcomes, call))


handler = api.handler
