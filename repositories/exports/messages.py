"""Messages about parts of exports that can be written, and about exports that have made no progress."""

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from math import ceil
from typing import TYPE_CHECKING

from domain.common.environment import now
from repositories.aws.settings import settings
from repositories.dynamodb import keys
from repositories.dynamodb.codec import Row
from repositories.dynamodb.iam_actions import IamAction, uses
from repositories.events.relay import send_to_queue

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef


@uses(IamAction.PUBLISH)
def send_exports(rows: Sequence[Row]) -> int:
    """Send a message for each new part, and for each export without progress. Return their number.

    Raises Unavailable.
    """
    at = now()
    wanted = [row for row in rows if row["type"] == "export_part" or row["stalls"]]
    send_to_queue(settings().export_queue, [_entry(number, row, at) for number, row in enumerate(wanted)])
    return len(wanted)


def _entry(number: int, row: Row, at: datetime) -> "SendMessageBatchRequestEntryTypeDef":
    """Return the message about a row. Its group makes the queue fair between tenants."""
    tenant = keys.tenant_of(row["pk"])
    wait = (datetime.fromisoformat(row["begins_at"]) - at).total_seconds() if "begins_at" in row else 0
    return {
        "Id": str(number),
        "MessageBody": json.dumps({"tenant": tenant, "pk": row["pk"], "sk": row["sk"]}),
        "MessageGroupId": hashlib.sha256(tenant.encode()).hexdigest(),
        # Not before its time: a second for clocks that differ.
        "DelaySeconds": ceil(wait) + 1 if wait > 0 else 0,
    }
