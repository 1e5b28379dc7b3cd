"""Redrive of the dead-letter queue: each message is a call that Lambda or EventBridge Scheduler gave up on.

Messages have two forms. A Lambda destination wraps the event. Scheduler sends the event as the body and names the
function in the attributes (Lambda developer guide, "Capturing records of Lambda asynchronous invocations"; EventBridge
Scheduler user guide, "Configuring a dead-letter queue").
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

_VISIBILITY_SECONDS = 120
_WAIT_SECONDS = 1


@dataclass(frozen=True, slots=True)
class FailedCall:
    """Call to repeat: receipt handle of the message, function, event, and reason of the failure."""

    handle: str
    function: str
    event: str
    reason: str

    @property
    def scheduled(self) -> bool:
        """Whether a schedule made the call. Its event contains the time only."""
        event = json.loads(self.event)
        return isinstance(event, dict) and event.get("detail-type") == "Scheduled Event"


@dataclass(frozen=True, slots=True)
class Redriven:
    """Result of a repeated call; `error` is empty if it succeeded."""

    call: FailedCall
    error: str


def redrive(sqs: Any, lambda_: Any, queue: str) -> Iterator[Redriven]:
    """Repeat each call in a queue, one at a time; delete the messages of calls that succeed.

    Of several calls of a schedule to one function, only the first is repeated: it does the work of all.
    """
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    by_schedule: dict[str, str] = {}
    for call in _calls(sqs, url):
        if not call.scheduled:
            error = _repeat(lambda_, call)
        else:
            if call.function not in by_schedule:
                by_schedule[call.function] = _repeat(lambda_, call)
            error = by_schedule[call.function]
        if not error:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=call.handle)
        yield Redriven(call, error)


def _repeat(lambda_: Any, call: FailedCall) -> str:
    """Invoke the function of a call; return its error, or an empty string."""
    try:
        answer = lambda_.invoke(FunctionName=call.function, Payload=call.event.encode())
    except ClientError as refused:  # Such as TooManyRequestsException: the message stays for the next time.
        return str(refused)
    payload: str = answer["Payload"].read().decode()
    return payload if "FunctionError" in answer else ""


def _calls(sqs: Any, url: str) -> Iterator[FailedCall]:
    """Yield the call of each message once; received messages are hidden from other consumers for a time."""
    seen: set[str] = set()
    while True:
        messages = sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=10,
            VisibilityTimeout=_VISIBILITY_SECONDS,
            WaitTimeSeconds=_WAIT_SECONDS,
            MessageAttributeNames=["All"],
        ).get("Messages", [])
        new = [message for message in messages if message["MessageId"] not in seen]
        if not new:
            return
        for message in new:
            seen.add(message["MessageId"])
            yield _call(message)


def _call(message: dict[str, Any]) -> FailedCall:
    body = json.loads(message["Body"])
    handle = message["ReceiptHandle"]
    if isinstance(body, dict) and "requestPayload" in body:
        context = body["requestContext"]
        reason = str((body.get("responsePayload") or {}).get("errorMessage", context.get("condition", "")))
        return FailedCall(handle, context["functionArn"], json.dumps(body["requestPayload"]), reason)
    attributes = {name: each["StringValue"] for name, each in message.get("MessageAttributes", {}).items()}
    if "TARGET_ARN" not in attributes:
        raise LookupError(f"Message {message['MessageId']} does not say which function it was for.")
    return FailedCall(handle, attributes["TARGET_ARN"], message["Body"], attributes.get("ERROR_MESSAGE", ""))
