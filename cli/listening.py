"""A queue on the bus of events, for as long as a listener runs; and forwarding of events, signed as webhooks are."""

import json
import secrets
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx

from repositories.events.relay import SOURCE
from repositories.webhooks.secrets import PREFIX, signatures

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_sqs import SQSClient

_WAIT_SECONDS = 2
_KEPT_SECONDS = "3600"
_TARGET = "listener"

type Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Tap:
    """Queue that gets the events of a tenant."""

    sqs: "SQSClient"
    url: str

    def events(self) -> Iterator[Event]:
        """Yield events as they happen, each with its time; those that wait longest come first."""
        while True:
            answer = self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10, WaitTimeSeconds=_WAIT_SECONDS)
            for message in answer.get("Messages", ()):
                yield json.loads(message["Body"])["detail"]
                self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])


@contextmanager
def tapped(
    events: "EventBridgeClient", sqs: "SQSClient", bus: str, tenant: str, types: frozenset[str]
) -> Iterator[Tap]:
    """Add a rule to a bus and a queue for the events of a tenant; remove both at the end.

    `types` has the types of events to get; all if it is empty.
    """
    name = f"tradepost-listen-{uuid4().hex[:12]}"
    pattern: dict[str, Any] = {"source": [SOURCE], "detail": {"source": [f"/tenants/{tenant}"]}}
    if types:
        pattern["detail-type"] = sorted(types)
    url = sqs.create_queue(QueueName=name, Attributes={"MessageRetentionPeriod": _KEPT_SECONDS})["QueueUrl"]
    try:
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        rule = events.put_rule(Name=name, EventBusName=bus, EventPattern=json.dumps(pattern))["RuleArn"]
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": _policy(arn, rule)})
        events.put_targets(Rule=name, EventBusName=bus, Targets=[{"Id": _TARGET, "Arn": arn}])
        try:
            yield Tap(sqs, url)
        finally:
            events.remove_targets(Rule=name, EventBusName=bus, Ids=[_TARGET])
            events.delete_rule(Name=name, EventBusName=bus)
    finally:
        sqs.delete_queue(QueueUrl=url)


def _policy(queue: str, rule: str) -> str:
    """Return the queue policy that lets the rule send (EventBridge user guide, "Amazon SQS permissions")."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue,
        "Condition": {"ArnEquals": {"aws:SourceArn": rule}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


class Forwarder:
    """Forwarder of events to a URL, signed with a secret by Standard Webhooks."""

    def __init__(self, url: str, secret: str | None = None) -> None:
        """`secret` is `whsec_` and base64; without one, a new one is made."""
        self.url = url
        self.secret = secret or PREFIX + b64encode(secrets.token_bytes(32)).decode()
        self._key = b64decode(self.secret.removeprefix(PREFIX), validate=True)
        self._http = httpx.Client(timeout=10, trust_env=False)

    def send(self, event: Event) -> str:
        """Post an event; return the status of the answer, or what went wrong."""
        body, at = json.dumps(event, ensure_ascii=False, separators=(",", ":")), datetime.now(UTC)
        headers = {
            "Content-Type": "application/json",
            "webhook-id": event["id"],
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": signatures([self._key], event["id"], at, body),
        }
        try:
            return str(self._http.post(self.url, content=body.encode(), headers=headers).status_code)
        except httpx.HTTPError as failed:
            return str(failed) or type(failed).__name__
