"""GET /v1/stats/stock: list items that are running low."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from domain.common.errors import Contention, CursorInvalid, NotFound
from domain.common.pages import Page, PageRequest
from domain.identity.permissions import Permission
from domain.stats import LowStock
from domain.stock import MAX_UNITS
from handlers.dependencies.stats import Stats
from handlers.http.parameters import Cursor, Limit
from handlers.http.route import Route

api = Route()
_Below = Query(ge=1, le=MAX_UNITS, description="Number of units of which fewer are available.")


@api.get("/v1/stats/stock", permission=Permission.STATS_READ, raises=[CursorInvalid, NotFound, Contention])
def list_low_stock(
    stats: Stats, below: Annotated[int, _Below] = 10, limit: Limit = 50, cursor: Cursor = None
) -> Page[LowStock]:
    """List the active items of which fewer units are available, as of now. A page may be short, or empty.

    Items with units that are not counted are left out.
    """
    return stats.low_stock(below, PageRequest(limit, cursor))


handler = api.handler
