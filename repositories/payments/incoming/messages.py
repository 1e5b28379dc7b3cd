"""Messages about events of payment providers that have been kept."""

from collections.abc import Sequence

from repositories.aws.settings import settings
from repositories.dynamodb import keys
from repositories.dynamodb.codec import Row
from repositories.dynamodb.iam_actions import IamAction, uses
from repositories.events.relay import row_message, send_to_queue


@uses(IamAction.PUBLISH)
def send_received(rows: Sequence[Row]) -> int:
    """Send a message for each row of the inbox; return their number. Raises Unavailable."""
    entries = [row_message(number, row, keys.tenant_of(row["pk"])) for number, row in enumerate(rows)]
    send_to_queue(settings().payment_queue, entries)
    return len(rows)
