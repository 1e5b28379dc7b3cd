"""Each minute: orders that were not paid in time expire, and their stock is free again.

Called by EventBridge Scheduler, which calls again after a failure and then puts the event into a queue.
"""

from itertools import islice
from typing import Any

from domain.common.environment import monotonic, now
from handlers.http.telemetry import logger
from handlers.triggers.trigger import LambdaEvent, TriggerSource, log_occasion, trigger
from repositories.aws.clients import dynamodb
from repositories.aws.settings import settings
from repositories.dynamodb.table import Meter, Table
from repositories.orders.expiry import sweep

_RESERVE_SECONDS = 3.0
"""Kept back of the function's time, for orders that are on their way when it ends."""


_NAMED = 20
"""Orders that could not be expired, of which the log names so many."""


class HoldsLeftError(Exception):
    """Some holds could not be expired; the next call finds them again."""


@trigger(
    TriggerSource.SCHEDULE,
    every=1,
)
def expire_holds(_event: LambdaEvent, context: Any) -> dict[str, int]:
    """Return how many orders expired. Raises HoldsLeftError, so that the call counts as failed and is made again."""
    logger().append_keys(request_id=context.aws_request_id)
    meter = Meter()
    table = Table(dynamodb(), settings().table_name, meter)
    seconds = context.get_remaining_time_in_millis() / 1000 - _RESERVE_SECONDS
    swept = sweep(table, now(), monotonic() + seconds)
    log_occasion(
        "holds swept", expired=swept.expired, left=dict(islice(swept.left.items(), _NAMED)), db_requests=meter.requests
    )
    if swept.left:
        raise HoldsLeftError(f"{len(swept.left)} orders could not be expired")
    return {"expired": swept.expired}


handler = expire_holds.call
