"""Relay of events to the bus and to the queue of those who handle them, all of a batch or none.

A row of events is marked once it is relayed. Whatever fails is relayed again as a whole: the queue drops messages that
come again within five minutes, and who reads the bus or handles events knows them by their ids.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import batched
from math import ceil
from typing import TYPE_CHECKING, Any

from domain.common.environment import in_parallel
from domain.common.errors import Unavailable
from domain.event_types import Event
from repositories.aws.clients import eventbridge, sqs
from repositories.aws.errors import mapped_to_domain
from repositories.aws.settings import settings
from repositories.dynamodb import keys
from repositories.dynamodb.codec import Row
from repositories.dynamodb.iam_actions import IamAction, uses
from repositories.dynamodb.keys import Key
from repositories.dynamodb.table import Table
from repositories.events.rows import event_of

if TYPE_CHECKING:
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

SOURCE = "tradepost"
"""Source of events on the bus."""
_BATCH = 10
"""Entries of one request, to the bus as to a queue (their API references)."""
RELAYED = "relayed"
"""Attribute of rows of events that have been relayed."""


@uses(IamAction.UPDATE, IamAction.PUBLISH)
def relay_events(table: Table, rows: Sequence[Row]) -> None:
    """Send the events of rows to the bus and to the queue of events, and mark the rows. Raises Unavailable."""
    _send_to_bus(event for row in rows for event in events_of(row))
    queue = settings().event_queue
    send_to_queue(queue, [_entry(number, row) for number, row in enumerate(rows)])
    in_parallel(lambda row: table.mark(Key(row["pk"], row["sk"]), RELAYED), rows)


def events_of(row: Row) -> Iterable[Event]:
    """Return the events of a row in which they are stored."""
    tenant = keys.tenant_of(row["pk"])
    return (event_of(tenant, row["at"], stored) for stored in row["events"])


def _send_to_bus(events: Iterable[Event]) -> None:
    entries: list[PutEventsRequestEntryTypeDef] = [
        {
            "Source": SOURCE,
            "DetailType": event.type,
            "Detail": event.model_dump_json(),
            "EventBusName": settings().event_bus,
            "Time": event.time,
        }
        for event in events
    ]
    for some in batched(entries, _BATCH, strict=False):
        _require_none("FailedEntryCount", lambda some=some: eventbridge().put_events(Entries=some))  # type: ignore[misc]


def row_message(
    number: int, row: Row, group: str, wait: float = 0, **more: str
) -> "SendMessageBatchRequestEntryTypeDef":
    """Return the message that names a row, received in `wait` seconds at the earliest.

    Its group makes a queue without order fair: one group does not hold up the others (SQS developer guide, "Amazon SQS
    fair queues").
    """
    message = {"tenant": keys.tenant_of(row["pk"]), "pk": row["pk"], "sk": row["sk"]} | more
    return {
        "Id": str(number),
        "MessageBody": json.dumps(message),
        "MessageGroupId": hashlib.sha256(group.encode()).hexdigest(),
        # Not before its time: a second for clocks that differ.
        "DelaySeconds": ceil(wait) + 1 if wait > 0 else 0,
    }


def send_to_queue(queue: str, entries: Sequence["SendMessageBatchRequestEntryTypeDef"]) -> None:
    """Send messages to a queue, in order. Raises Unavailable if one is not taken."""
    for some in batched(entries, _BATCH, strict=False):
        _require_none("Failed", lambda some=some: sqs().send_message_batch(QueueUrl=queue, Entries=some))  # type: ignore[misc]


def _require_none(failed: str, send: Callable[[], Mapping[str, Any]]) -> None:
    """Raise Unavailable if a response names entries that were not taken: such a response is not an error."""
    with mapped_to_domain():
        answer = send()
    if answer.get(failed):
        raise Unavailable


def _entry(number: int, row: Row) -> "SendMessageBatchRequestEntryTypeDef":
    """Return the message about a row: in the order of its first event's subject, and dropped if it comes again."""
    tenant, first = keys.tenant_of(row["pk"]), row["events"][0]
    message = {"tenant": tenant, "at": row["at"], "events": row["events"]}
    return {
        "Id": str(number),
        "MessageBody": json.dumps(message),
        "MessageGroupId": hashlib.sha256(f"{tenant}\n{first['subject']}".encode()).hexdigest(),
        "MessageDeduplicationId": first["id"],
    }
