"""Deliver events to webhook endpoints.

Called by Lambda with a message about one attempt. It can read endpoints and deliveries of the message's tenant only.
Event: Lambda developer guide, "Using Lambda with Amazon SQS".
"""

import json
from typing import Any

from domain.common.environment import now
from handlers.invocations.invocation import deadline_before, name_log_lines
from handlers.invocations.tenant import session_for
from handlers.invocations.trigger import LambdaEvent, Queue, TriggerSource, log_occasion, trigger
from repositories.dynamodb.keys import Key
from repositories.dynamodb.table import Meter
from repositories.webhooks.delivering import deliver

_RESERVE_SECONDS = 1.0
"""Seconds of the function's time that are reserved for the answer."""


@trigger(TriggerSource.QUEUE, queue=Queue.DELIVERIES, batch=1, for_tenants=True, reads="HOOK")
def deliver_webhooks(event: LambdaEvent, context: Any) -> None:
    """Make the attempts that the messages are about. Raises Contention, Unavailable: the message comes again."""
    name_log_lines(context)
    for record in event["Records"]:
        message, meter = json.loads(record["body"]), Meter()
        tenant = message["tenant"]
        session = session_for(tenant, meter, now(), deadline_before(context, _RESERVE_SECONDS))
        outcome = deliver(session, Key(message["pk"], message["sk"]), message["due"])
        log_occasion("delivery attempted", tenant=tenant, outcome=outcome, db_requests=meter.requests)


handler = deliver_webhooks.handler
