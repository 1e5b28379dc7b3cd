"""Expire orders that were not paid in time and release their units, every minute.

Called by EventBridge Scheduler, which retries failed calls and then sends the event to a dead-letter queue.
"""

from datetime import timedelta
from itertools import islice
from typing import Any

from domain.common.environment import now
from handlers.invocations.invocation import deadline_before, name_log_lines, whole_table
from handlers.invocations.trigger import LambdaEvent, TriggerSource, log_occasion, report_failures, trigger
from repositories.dynamodb.work_list import Work
from repositories.orders.expiry import expire_orders

_RESERVE_SECONDS = 3.0
"""Seconds of the function's time that are reserved for finishing orders in progress."""
_NAMED = 20
"""Maximum number of orders to name in a log line."""


class HoldsLeftError(Exception):
    """Some orders could neither be expired nor be put off. The next call tries them again."""


@trigger(TriggerSource.SCHEDULE, every=1)
def expire_holds(_event: LambdaEvent, context: Any) -> dict[str, int]:
    """Return the number of expired orders. Raises HoldsLeftError, so that the call fails and is retried."""
    name_log_lines(context)
    table, deadline = whole_table(), deadline_before(context, _RESERVE_SECONDS)
    started = now()
    swept = expire_orders(table, started, deadline)
    log_occasion(
        "holds swept",
        expired=swept.done,
        failed={order: failure.reason for order, failure in islice(swept.failed.items(), _NAMED)},
        left=dict(islice(swept.left.items(), _NAMED)),
        behind_minutes=(started - swept.mark) // timedelta(minutes=1),
        db_requests=table.meter.requests,
    )
    report_failures(Work.HOLD, swept)
    if swept.left:
        raise HoldsLeftError(f"{len(swept.left)} orders could not be expired")
    return {"expired": swept.done}


handler = expire_holds.handler
