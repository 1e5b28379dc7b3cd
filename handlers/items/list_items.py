"""GET /v1/items: list the items of the catalogue."""

from typing import Annotated, Literal

from aws_lambda_powertools.event_handler.openapi.params import Query

from domain.common.codes import Sku
from domain.common.errors import Contention, CursorInvalid
from domain.common.pages import Page, PageRequest
from domain.identity.permissions import Permission
from domain.items import ItemStatus, ItemSummary
from handlers.dependencies.items import Items
from handlers.http.parameters import Cursor, Limit
from handlers.http.route import Route

api = Route()


@api.get(
    "/v1/items",
    permission=Permission.ITEMS_READ,
    raises=[CursorInvalid, Contention],
)
def list_items(
    items: Items,
    status: Annotated[ItemStatus, Query()] = ItemStatus.ACTIVE,
    sku: Annotated[Sku | None, Query()] = None,
    include: Annotated[Literal["stock"] | None, Query(description="`stock`: show the stock of each item.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[ItemSummary]:
    """List items, newest first: active ones, or those with `status`. `sku` finds the item with that SKU.

    Customers can list active items only.
    """
    if status is ItemStatus.ARCHIVED:
        items.caller.require(Permission.ITEMS_READ_ARCHIVED)
    wanted = PageRequest(limit, cursor)
    page = items.page(status, wanted) if sku is None else items.by_sku(sku, status, wanted)
    return items.with_stock(page) if include else page


handler = api.handler
