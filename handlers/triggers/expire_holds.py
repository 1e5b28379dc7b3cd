"""Expire orders that were not paid in time and release their units, and bookings that were held, every minute.

Called by EventBridge Scheduler, which retries failed calls and then sends the event to a dead-letter queue.
"""

from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from domain.common.environment import now
from handlers.invocations.invocation import deadline_before, name_log_lines, whole_table
from handlers.invocations.trigger import LambdaEvent, TriggerSource, log_occasion, report_failures, trigger
from repositories.bookings.expiry import settle_bookings
from repositories.dynamodb.table import Table
from repositories.dynamodb.work_list import Swept, Work
from repositories.orders.expiry import expire_orders

_RESERVE_SECONDS = 3.0
"""Seconds of the function's time that are reserved for finishing what is in progress."""
_NAMED = 20
"""Maximum number of orders or bookings to name in a log line."""


class HoldsLeftError(Exception):
    """Some orders or bookings could neither be expired nor be put off. The next call tries them again."""


@trigger(TriggerSource.SCHEDULE, every=1)
def expire_holds(_event: LambdaEvent, context: Any) -> dict[str, int]:
    """Return the number of orders and of bookings that were due. Raises HoldsLeftError: the call is retried then."""
    name_log_lines(context)
    table, deadline = whole_table(), deadline_before(context, _RESERVE_SECONDS)
    started = now()
    orders = expire_orders(table, started, deadline)
    _report(Work.HOLD, orders, started, table)
    bookings = settle_bookings(table, started, deadline)
    _report(Work.BOOKING, bookings, started, table)
    left = len(orders.left) + len(bookings.left)
    if left:
        raise HoldsLeftError(f"{left} orders and bookings could not be expired")
    return {"expired": orders.done, "bookings": bookings.done}


def _report(kind: Work, swept: Swept, started: datetime, table: Table) -> None:
    log_occasion(
        "holds swept",
        kind=kind.value,
        expired=swept.done,
        failed={each: failure.reason for each, failure in islice(swept.failed.items(), _NAMED)},
        left=dict(islice(swept.left.items(), _NAMED)),
        behind_minutes=(started - swept.mark) // timedelta(minutes=1),
        db_requests=table.meter.requests,
    )
    report_failures(kind, swept)


handler = expire_holds.handler
