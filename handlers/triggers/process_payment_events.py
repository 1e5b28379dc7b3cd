"""Process events that payment providers have sent: ask the provider about the payment that each is about.

Called by Lambda with messages of the queue. A message that fails comes again, and the sweep looks after it as well.
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
from repositories.payments.incoming.processing import PaymentMissing, process
from repositories.payments.providers.asking import NoCredentials
from repositories.payments.providers.provider import OutcomeUnknown, Refused

_RESERVE_SECONDS = 1.0
"""Seconds of the function's time that are reserved for the answer."""


@trigger(TriggerSource.QUEUE, queue=Queue.PAYMENTS, batch=1, for_tenants=True)
def process_payment_events(event: LambdaEvent, context: Any) -> None:
    """Process the events that the messages are about. Raises Contention, Unavailable: the message comes again."""
    name_log_lines(context)
    for record in event["Records"]:
        message, meter = json.loads(record["body"]), Meter()
        tenant = message["tenant"]
        session = session_for(tenant, meter, now(), deadline_before(context, _RESERVE_SECONDS))
        try:
            outcome = process(session, Key(message["pk"], message["sk"]))
        except (OutcomeUnknown, Refused, NoCredentials, PaymentMissing) as later:
            outcome = f"later: {later!r}"  # the sweep goes on with it
        log_occasion("payment event processed", tenant=tenant, outcome=outcome, db_requests=meter.requests)


handler = process_payment_events.handler
