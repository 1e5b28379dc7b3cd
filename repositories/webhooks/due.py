"""Messages about attempts that are due, and the sweep for those whose message was lost or due too late to delay it."""

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from math import ceil
from typing import TYPE_CHECKING

from domain.common.environment import now
from repositories.aws.settings import settings
from repositories.dynamodb import keys
from repositories.dynamodb.codec import Row
from repositories.dynamodb.iam_actions import IamAction, uses
from repositories.dynamodb.table import Table
from repositories.dynamodb.work_keys import DueRow
from repositories.dynamodb.work_list import Swept, Work, move, sweep
from repositories.events.relay import send_to_queue
from repositories.webhooks.rows import LONGEST_DELAY, attempt_at, due_attributes

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

_FIRST = timedelta(hours=1)
"""Time to look back without a mark: there were no attempts before the sweep."""


@uses(IamAction.PUBLISH)
def send_due(rows: Sequence[Row]) -> int:
    """Send a message for each row with an attempt that is due soon; return their number. Raises Unavailable."""
    at = now()
    soon = [row for row in rows if "gsi3sk" in row and attempt_at(row) - at <= LONGEST_DELAY]
    send_to_queue(settings().delivery_queue, [_entry(number, row, at) for number, row in enumerate(soon)])
    return len(soon)


def _entry(number: int, row: Row, at: datetime) -> "SendMessageBatchRequestEntryTypeDef":
    """Return the message about a row. Its group makes the queue fair: one endpoint does not hold up the others.

    See the SQS developer guide, "Amazon SQS fair queues".
    """
    message = {"tenant": keys.tenant_of(row["pk"]), "pk": row["pk"], "sk": row["sk"], "due": row["gsi3sk"]}
    return {
        "Id": str(number),
        "MessageBody": json.dumps(message),
        "MessageGroupId": hashlib.sha256(row["pk"].encode()).hexdigest(),
        # Not before its time: a second for clocks that differ.
        "DelaySeconds": ceil((attempt_at(row) - at).total_seconds()) + 1 if attempt_at(row) > at else 0,
    }


@uses(IamAction.GET, IamAction.UPDATE, IamAction.PUT, IamAction.DUE)
def sweep_deliveries(table: Table, at: datetime, deadline: float) -> Swept:
    """Make overdue attempts due now, so that the relay sends another message, until `deadline` (monotonic clock)."""

    def wake(row: DueRow) -> bool:
        return move(table, "make it due now", row, due_attributes(row.id, at, at), deadline)

    return sweep(table, Work.DELIVERY, wake, at, deadline, _FIRST)
