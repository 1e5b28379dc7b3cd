"""Calls that failed for good, made again: each message of the queue is a call that Lambda or the Scheduler gave up.

Messages are of two forms: a Lambda destination's, which wraps the event, and the Scheduler's, whose body is the event
and whose attributes name the function (Lambda developer guide, "Capturing records of Lambda asynchronous invocations";
EventBridge Scheduler user guide, "Configuring a dead-letter queue").
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_VISIBILITY_SECONDS = 120
_WAIT_SECONDS = 1


@dataclass(frozen=True, slots=True)
class FailedCall:
    """A call to make again: the message's handle, the function, its event, and why it failed."""

    handle: str
    function: str
    event: str
    reason: str


@dataclass(frozen=True, slots=True)
class Redriven:
    """What became of a call: `error` is empty if it succeeded this time."""

    call: FailedCall
    error: str


def redrive(sqs: Any, lambda_: Any, queue: str) -> Iterator[Redriven]:
    """Make each call of a queue again, one after the other; one that succeeds is deleted, one that fails stays."""
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    for call in _calls(sqs, url):
        answer = lambda_.invoke(FunctionName=call.function, Payload=call.event.encode())
        payload = answer["Payload"].read().decode()
        failed = payload if "FunctionError" in answer else ""
        if not failed:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=call.handle)
        yield Redriven(call, failed)


def _calls(sqs: Any, url: str) -> Iterator[FailedCall]:
    """Yield each message once; what is received stays unseen by others while it is worked on."""
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
