"""Messages about events of payment providers that have been kept."""

import hashlib
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from repositories.aws.settings import settings
from repositories.dynamodb import keys
from repositories.dynamodb.codec import Row
from repositories.dynamodb.iam_actions import IamAction, uses
from repositories.events.relay import send_to_queue

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef


@uses(IamAction.PUBLISH)
def send_received(rows: Sequence[Row]) -> int:
    """Send a message for each row of the inbox; return their number. Raises Unavailable."""
    entries: list[SendMessageBatchRequestEntryTypeDef] = [
        {
            "Id": str(number),
            "MessageBody": json.dumps({"tenant": keys.tenant_of(row["pk"]), "pk": row["pk"], "sk": row["sk"]}),
            "MessageGroupId": hashlib.sha256(keys.tenant_of(row["pk"]).encode()).hexdigest(),
        }
        for number, row in enumerate(rows)
    ]
    send_to_queue(settings().payment_queue, entries)
    return len(rows)
