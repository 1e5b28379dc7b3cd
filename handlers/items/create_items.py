"""POST /v1/items/batch: add up to 100 items, each by itself."""

from domain.common.errors import IdempotencyInProgress
from domain.identity.permissions import Permission
from domain.items import NewItems
from handlers.dependencies.items import Items
from handlers.http.batch import BatchResults, report
from handlers.http.parameters import CallParameter
from handlers.http.route import Api
from repositories.dynamodb.iam_actions import Access

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
