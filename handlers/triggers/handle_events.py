"""Handle events from their queue: count sales, and create deliveries to webhook endpoints.

Called by Lambda with messages of the queue, those of one subject in order. A message that fails comes again, and holds
up only those of its subject; after the last try it goes to the dead-letter queue.
Event: Lambda developer guide, "Using Lambda with Amazon SQS".
"""

import json
from typing import Any

from aws_lambda_powertools.utilities.batch import SqsFifoPartialProcessor, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from domain.common.environment import monotonic, now
from domain.common.errors import DomainError, Unavailable
from handlers.http.telemetry import logger
from handlers.invocations.invocation import deadline_before, name_log_lines
from handlers.invocations.tenant import session_for
from handlers.invocations.trigger import TRIGGER_FAILED, LambdaEvent, Queue, TriggerSource, log_occasion, trigger
from repositories.dynamodb.table import Meter
from repositories.events.rows import event_of
from repositories.stats.counting import COUNTED, count_order
from repositories.webhooks.fan_out import fan_out

_RESERVE_SECONDS = 1.0
"""Seconds of the function's time that are reserved for the answer."""


@trigger(TriggerSource.QUEUE, queue=Queue.EVENTS, for_tenants=True)
def handle_events(event: LambdaEvent, context: Any) -> Any:
    """Return the messages that failed. Raises BatchProcessingError if all did."""
    name_log_lines(context)
    meter = Meter()

    def handle(record: SQSRecord) -> None:
        message = json.loads(record.body)
        tenant = message["tenant"]
        session = session_for(tenant, meter, now(), deadline_before(context, _RESERVE_SECONDS))
        if monotonic() >= session.deadline:
            raise Unavailable
        # Deliveries first: a figure that cannot be counted must not keep events from those who wait for them.
        fan_out(session, [event_of(tenant, message["at"], each) for each in message["events"]])
        for each in message["events"]:
            if each["kind"] in COUNTED:
                count_order(session, each["subject"], each["sequence"])

    processor = SqsFifoPartialProcessor(skip_group_on_error=True)
    failed = process_partial_response(event, handle, processor, context)
    for _, error, _ in processor.exceptions:
        if not isinstance(error, DomainError):
            logger().error(TRIGGER_FAILED, exc_info=error, extra={"source": "queue"})
    log_occasion(
        "events handled",
        messages=len(event["Records"]),
        failed=[repr(failure[1]) for failure in processor.exceptions],
        db_requests=meter.requests,
    )
    return failed


handler = handle_events.handler
