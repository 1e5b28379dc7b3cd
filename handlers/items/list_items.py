"""GET /v1/items: list the items of the catalogue."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from domain.common.errors import CursorInvalid
from domain.common.pages import Page, PageRequest
from domain.identity.permissions import Permission
from domain.items import ItemStatus, ItemSummary, Sku
from handlers.dependencies.items import Items
from handlers.http.parameters import Cursor, Limit
from handlers.http.route import Route

api = Route()


@api.get(
    "/v1/items",
    permission=Permission.ITEMS_READ,
    raises=[CursorInvalid],
)
def list_items(
    items: Items,
    status: Annotated[ItemStatus, Query()] = ItemStatus.ACTIVE,
    sku: Annotated[Sku | None, Query()] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[ItemSummary]:
    """List items, newest first. `sku` finds the item with that SKU. Customers can list active items only."""
    if status is ItemStatus.ARCHIVED:
        items.caller.require(Permission.ITEMS_READ_ARCHIVED)
    if sku is not None:
        return items.by_sku(sku, status)
    return items.page(status, PageRequest(limit, cursor))


handler = api.handler
