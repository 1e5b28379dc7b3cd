"""Look after exports that have made no progress, every five minutes.

Called by EventBridge Scheduler, which retries failed calls and then sends the event to a dead-letter queue.
"""

from typing import Any

from domain.common.environment import now
from handlers.invocations.invocation import deadline_before, name_log_lines, whole_table
from handlers.invocations.trigger import LambdaEvent, TriggerSource, report_sweep, trigger
from repositories.dynamodb.work_list import Work
from repositories.exports.sweeping import sweep_exports as sweep

_RESERVE_SECONDS = 3.0
"""Seconds of the function's time that are reserved for finishing what is in progress."""


@trigger(TriggerSource.SCHEDULE, every=5)
def sweep_exports(_event: LambdaEvent, context: Any) -> dict[str, int]:
    """Return the number of exports that were overdue. Raises Unavailable."""
    name_log_lines(context)
    table, deadline = whole_table(), deadline_before(context, _RESERVE_SECONDS)
    started = now()
    swept = sweep(table, started, deadline)
    report_sweep("exports swept", Work.EXPORT, swept, started, table.meter.requests)
    return {"overdue": swept.done}


handler = sweep_exports.handler
