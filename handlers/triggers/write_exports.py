"""Write files of exports.

Called by Lambda with a message about one part, or about an export that has made no progress. A message that fails comes
again. It can read the rows of the message's tenant only, and change exports alone.
Event: Lambda developer guide, "Using Lambda with Amazon SQS".
"""

import json
from typing import Any

from domain.common.environment import now
from handlers.invocations.invocation import deadline_before, name_log_lines
from handlers.invocations.tenant import session_for
from handlers.invocations.trigger import LambdaEvent, Queue, Size, TriggerSource, log_occasion, trigger
from repositories.dynamodb.keys import Key
from repositories.dynamodb.table import Meter
from repositories.exports.working import work

_RESERVE_SECONDS = 5.0
"""Seconds of the function's time that are reserved for the answer."""


@trigger(
    TriggerSource.QUEUE,
    queue=Queue.EXPORTS,
    batch=1,
    for_tenants=True,
    writes="EXPORT",
    size=Size(memory_mb=1769, seconds=300, packages="exports"),
)
def write_exports(event: LambdaEvent, context: Any) -> None:
    """Write what the messages are about. Raises Contention, Unavailable: the message comes again."""
    name_log_lines(context)
    for record in event["Records"]:
        message, meter = json.loads(record["body"]), Meter()
        tenant = message["tenant"]
        session = session_for(tenant, meter, now(), deadline_before(context, _RESERVE_SECONDS))
        outcome = work(session, Key(message["pk"], message["sk"]))
        log_occasion(
            "export written", tenant=tenant, outcome=outcome, db_requests=meter.requests, read_units=meter.read_units
        )


handler = write_exports.handler
