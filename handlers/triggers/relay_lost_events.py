"""Relay events that the stream lost, every hour.

Called by EventBridge Scheduler, which retries failed calls and then sends the event to a dead-letter queue.
"""

from typing import Any

from domain.common.environment import now
from handlers.invocations.invocation import deadline_before, name_log_lines, whole_table
from handlers.invocations.trigger import LambdaEvent, TriggerSource, log_occasion, trigger
from repositories.events.lost import relay_lost

_RESERVE_SECONDS = 3.0
"""Seconds of the function's time that are reserved for relaying events in progress."""


@trigger(TriggerSource.SCHEDULE, every=60)
def relay_lost_events(_event: LambdaEvent, context: Any) -> dict[str, int]:
    """Return the number of rows of events that were relayed. Raises Unavailable."""
    name_log_lines(context)
    table, deadline = whole_table(), deadline_before(context, _RESERVE_SECONDS)
    found = relay_lost(table, now(), deadline)
    log_occasion("lost events swept", relayed=found.rows, in_time=found.in_time, db_requests=table.meter.requests)
    return {"relayed": found.rows}


handler = relay_lost_events.handler
