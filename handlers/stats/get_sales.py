"""GET /v1/stats/sales: read sales figures."""

from datetime import date, timedelta
from typing import Annotated, Literal

from aws_lambda_powertools.event_handler.openapi.params import Query

from domain.common.environment import now
from domain.common.errors import Flaw
from domain.common.times import DateOrMoment, TimeRange
from domain.common.validation import invalid_input
from domain.identity.permissions import Permission
from domain.stats import Sales
from handlers.dependencies.stats import Stats
from handlers.http.route import Route

api = Route()
_USUAL_DAYS = timedelta(days=30)
_From = Query(alias="from", description="First day, in UTC; left out: 30 days before the last one.")
_To = Query(alias="to", description="Only days that begin before this time, in UTC; left out: up to today.")
_GroupBy = Query(description="`day`: a row for each day; `item`: a row for each item.")


@api.get("/v1/stats/sales", permission=Permission.STATS_READ)
def get_sales(
    stats: Stats,
    start: Annotated[DateOrMoment | None, _From] = None,
    end: Annotated[DateOrMoment | None, _To] = None,
    group_by: Annotated[Literal["day", "item"], _GroupBy] = "day",
) -> Sales:
    """Read sales by day or by item, for each currency: orders count on the day they are paid, refunds on their own.

    Changes are counted within seconds; all that was counted by `as_of` is in the figures. At most 366 days are read,
    and 92 by item.
    Shipping and fees, and refunds that are not of lines, are in the days, and by item in a row without `item_id`.
    """
    first, last = _days(TimeRange.of_query(start, end))
    return stats.by_day(first, last) if group_by == "day" else stats.by_item(first, last)


def _days(chosen: TimeRange) -> tuple[date, date]:
    """Return the first and last day of a range. Raises ValidationFailed before the year 1."""
    try:
        last = (chosen.end - timedelta(microseconds=1)).date() if chosen.end else now().date()
        return chosen.start.date() if chosen.start else last - _USUAL_DAYS, last
    except OverflowError:
        raise invalid_input([Flaw("/query/to", "RANGE_TOO_EARLY", "There are no days so long ago.")]) from None


handler = api.handler
