"""What AWS does between functions: the stream, the queues, and the schedule of sweeps, for one tenant."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from domain.common.environment import now
from handlers.invocations.trigger import Queue
from local.aws.queues import queue_url
from local.invocation import invoke
from repositories.aws.clients import dynamodb, sqs
from repositories.dynamodb import keys
from repositories.dynamodb.codec import Row, encode
from repositories.dynamodb.table import Meter, Table
from repositories.webhooks import keys as webhook_keys
from tests.shop import Shop


def table() -> Table:
    return Table(dynamodb(), "tradepost", Meter())


@dataclass
class Flow:
    """Stream and queues of one tenant."""

    shop: Shop
    seen: dict[tuple[str, str], Any] = field(default_factory=dict)

    def event_rows(self) -> list[Row]:
        """Return the rows of the tenant's events, in order of their keys."""
        today = now()
        return [
            row
            for day in (today - timedelta(days=1), today, today + timedelta(days=1))
            for pk in keys.event_pks(self.shop.tenant, day)
            for row in table().whole_partition(pk)
        ]

    def due_rows(self) -> list[Row]:
        """Return the rows of deliveries and lanes."""
        endpoints = table().partition(webhook_keys.endpoint(self.shop.tenant, "").pk)
        return [
            row
            for endpoint in endpoints
            for row in table().whole_partition(webhook_keys.deliveries_pk(self.shop.tenant, endpoint["sk"]))
            if row["type"] in {"delivery", "lane"}
        ]

    def news(self) -> list[dict[str, Any]]:
        """Return the records of the stream since the last call."""
        found = [record(row) for row in self.event_rows() if self._is_new(row, True)]
        for row in self.due_rows():
            before = self.seen.get((row["pk"], row["sk"]))
            if self._is_new(row, row.get("gsi3sk", "")):
                found.append(record(row, {"gsi3sk": {"S": before}} if before else {}))
        return found

    def _is_new(self, row: Row, state: Any) -> bool:
        key = (row["pk"], row["sk"])
        is_new: bool = self.seen.get(key) != state
        self.seen[key] = state
        return is_new

    def relay(self, records: list[dict[str, Any]] | None = None) -> None:
        wanted = self.news() if records is None else records
        if wanted:
            invoke("RelayEvents", {"Records": wanted})

    def messages(self, queue: Queue) -> list[dict[str, Any]]:
        """Receive the tenant's messages; those of other tests are dropped."""
        found: list[dict[str, Any]] = []
        while True:
            answer = sqs().receive_message(
                QueueUrl=queue_url(queue), MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"]
            )
            received = answer.get("Messages", [])
            for each in received:
                sqs().delete_message(QueueUrl=queue_url(queue), ReceiptHandle=each["ReceiptHandle"])
                if json.loads(each["Body"])["tenant"] == self.shop.tenant:
                    found.append(sqs_record(each["Body"], each["Attributes"]))
            if not received:
                return found

    def run(self, rounds: int = 1) -> None:
        """Relay what is new, handle it and make the attempts that are due."""
        for _ in range(rounds):
            self.relay()
            handle(self.messages(Queue.EVENTS))
            self.relay()
            for message in self.messages(Queue.DELIVERIES):
                invoke("DeliverWebhooks", {"Records": [message]})


def handle(messages: list[dict[str, Any]]) -> None:
    for number in range(0, len(messages), 10):
        answer = invoke("HandleEvents", {"Records": messages[number : number + 10]})
        assert answer == {"batchItemFailures": []}


def record(row: Row, before: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the record of the stream about a row that is new, or was changed."""
    change: dict[str, Any] = {"NewImage": encode(row)}
    if before is not None:
        change["OldImage"] = before
    return {"eventName": "INSERT" if before is None else "MODIFY", "dynamodb": change}


def sqs_record(body: str, attributes: Mapping[Any, str]) -> dict[str, Any]:
    return {"messageId": str(hash(body)), "receiptHandle": "x", "body": body, "attributes": dict(attributes)}


def event_message(row: Row) -> dict[str, Any]:
    """Return the message about a row of events."""
    body = {"tenant": keys.tenant_of(row["pk"]), "at": row["at"], "events": row["events"]}
    return sqs_record(json.dumps(body), {"MessageGroupId": row["events"][0]["subject"]})
