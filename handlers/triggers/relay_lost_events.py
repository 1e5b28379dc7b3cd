"""Relay events that the stream lost, every hour.

Called by EventBridge Scheduler, which retries failed calls and then sends the event to a dead-letter queue.
"""

from typing import Any

from domain.common.environment import monotonic, now
from handlers.http.telemetry import logger
from handlers.triggers.trigger import LambdaEvent, TriggerSource, log_occasion, trigger
from repositories.aws.clients import dynamodb
from repositories.aws.settings import settings
from repositories.dynamodb.table import Meter, Table
from repositories.events.lost import relay_lost

_RESERVE_SECONDS = 3.0
"""Seconds of the function's time that are reserved for relaying events in progress."""


@trigger(TriggerSource.SCHEDULE, every=60)
def relay_lost_events(_event: LambdaEvent, context: Any) -> dict[str, int]:
    """Return the number of rows of events that were relayed. Raises Unavailable."""
    logger().append_keys(request_id=context.aws_request_id, route=None, tenant=None, sub=None)
    meter = Meter()
    table = Table(dynamodb(), settings().table_name, meter)
    seconds = context.get_remaining_time_in_millis() / 1000 - _RESERVE_SECONDS
    found = relay_lost(table, now(), monotonic() + seconds)
    log_occasion("lost events swept", relayed=found.rows, in_time=found.in_time, db_requests=meter.requests)
    return {"relayed": found.rows}


handler = relay_lost_events.handler
