"""Local queues and event bus, which moto emulates, and the part of Lambda that reads queues and calls functions."""

import asyncio
import logging
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import boto3

from handlers.invocations.trigger import Queue, TriggerSource
from handlers.registry import TriggerFunction, triggers
from local.aws.scheduler import Invoke
from repositories.aws.settings import environment

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

SERVICES = ("SQS", "EVENTBRIDGE")
"""AWS services that moto emulates for events."""
BUS = "tradepost"
VISIBILITY_SECONDS = 60
_CALLS = {Queue.EVENTS: 2, Queue.DELIVERIES: 8, Queue.PAYMENTS: 2, Queue.EXPORTS: 2}
"""Calls of a function at a time for each queue."""
_IDLE_SECONDS = 1.0
_FAIR_SHARE = 2
"""Calls at a time for messages of one group, if the queue keeps no order: SQS is fair to groups, moto is not."""
_RETRY_SECONDS = 2
_FIFO = {"FifoQueue": "true", "DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId"}


def create_queues() -> None:
    """Create the queues and the bus in the emulated AWS, and set the environment variables of functions for them."""
    sqs = boto3.client("sqs")
    for queue in Queue:
        is_fifo = queue is Queue.EVENTS
        attributes: Any = {"VisibilityTimeout": str(VISIBILITY_SECONDS), **(_FIFO if is_fifo else {})}
        name = f"tradepost-{queue.lower()}{'.fifo' if is_fifo else ''}"
        os.environ |= environment(
            **{queue.setting: sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]}
        )
    events = boto3.client("events")
    if BUS not in {each["Name"] for each in events.list_event_buses()["EventBuses"]}:
        events.create_event_bus(Name=BUS)
    os.environ |= environment(event_bus=BUS)


def readers(invoke: Invoke) -> Iterator["Reader"]:
    """Yield the readers of all queues that call functions."""
    for function in triggers():
        if function.trigger.source is TriggerSource.QUEUE and function.trigger.queue:
            yield Reader(function, function.trigger.queue, invoke)


class Reader:
    """Reader of a queue, which calls a function with messages and deletes those that it has handled."""

    def __init__(self, function: TriggerFunction, queue: Queue, invoke: Invoke) -> None:
        self._function, self._invoke = function, invoke
        self._sqs: SQSClient = boto3.client("sqs")
        self._url = queue_url(queue)
        self._is_fair = queue is not Queue.EVENTS
        self._free = asyncio.Semaphore(_CALLS[queue])
        self._busy = Counter[str]()
        """Messages that are being handled, by group."""
        self._calls: set[asyncio.Task[None]] = set()
        self.news = asyncio.Event()
        """Set when there may be messages, so that the reader looks at once."""

    async def run(self) -> None:
        """Read and call until cancelled."""
        while True:
            async with self._free:
                self.news.clear()
                messages = await self._received()
            if messages:
                call = asyncio.create_task(self._call(messages))
                self._calls.add(call)
                call.add_done_callback(self._calls.discard)
                await asyncio.sleep(0)
            else:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self.news.wait(), _IDLE_SECONDS)

    async def _received(self) -> list[Any]:
        try:
            return await asyncio.to_thread(self._receive)
        except Exception:
            logging.getLogger("tradepost").exception("The queue of %s is read again", self._function.name)
            return []

    async def _call(self, messages: list[Any]) -> None:
        groups = [each["Attributes"].get("MessageGroupId", "") for each in messages]
        async with self._free:
            try:
                if self._is_fair and any(self._busy[group] >= _FAIR_SHARE for group in groups):
                    await asyncio.to_thread(self._settle, messages, {each["MessageId"] for each in messages})
                    return
                self._busy.update(groups)
                try:
                    await self._handle(messages)
                finally:
                    self._busy.subtract(groups)
            except Exception:
                # The messages are visible again after a while.
                logging.getLogger("tradepost").exception("%s failed and is called again", self._function.name)

    def _receive(self) -> list[Any]:
        answer = self._sqs.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=self._function.trigger.batch,
            MessageSystemAttributeNames=["All"],
        )
        return list(answer.get("Messages", ()))

    async def _handle(self, messages: list[Any]) -> None:
        event = {"Records": [_record(each) for each in messages]}
        answer = await self._invoke(self._function.name, event)
        failed = {each["itemIdentifier"] for each in (answer or {}).get("batchItemFailures", ())}
        await asyncio.to_thread(self._settle, messages, failed)

    def _settle(self, messages: list[Any], failed: set[str]) -> None:
        for each in messages:
            where: Any = {"QueueUrl": self._url, "ReceiptHandle": each["ReceiptHandle"]}
            if each["MessageId"] in failed:
                self._sqs.change_message_visibility(**where, VisibilityTimeout=_RETRY_SECONDS)
            else:
                self._sqs.delete_message(**where)


def queue_url(queue: Queue) -> str:
    """Return the URL of a queue, from the environment variables of functions."""
    [(name, _)] = environment(**{queue.setting: ""}).items()
    return os.environ[name]


def is_empty(queue: Queue) -> bool:
    """Return whether a queue has no message, not even one that is delayed or being handled."""
    sqs: SQSClient = boto3.client("sqs")
    states = ("", "Delayed", "NotVisible")
    names: Any = [f"ApproximateNumberOfMessages{state}" for state in states]
    found = sqs.get_queue_attributes(QueueUrl=queue_url(queue), AttributeNames=names)["Attributes"]
    return not any(int(count) for count in found.values())


def _record(message: Any) -> dict[str, Any]:
    """Return the record of a message (Lambda developer guide, "Using Lambda with Amazon SQS")."""
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message.get("Attributes", {}),
        "messageAttributes": {},
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-west-1:000000000000:tradepost",
        "awsRegion": "eu-west-1",
    }
