"""GET /v1/discounts: list discounts."""

from domain.common.errors import CursorInvalid
from domain.common.pages import Page, PageRequest
from domain.discounts import Discount
from domain.identity.permissions import Permission
from handlers.dependencies.discounts import Discounts
from handlers.http.parameters import Cursor, Limit
from handlers.http.route import Route

api = Route()


@api.get("/v1/discounts", permission=Permission.DISCOUNTS_READ, raises=[CursorInvalid])
def list_discounts(discounts: Discounts, limit: Limit = 50, cursor: Cursor = None) -> Page[Discount]:
    """List discounts, newest first, archived ones too."""
    return discounts.page(PageRequest(limit, cursor))


handler = api.handler
