"""Messages about parts of exports that can be written, and about exports that have made no progress."""

from collections.abc import Sequence
from datetime import datetime

from domain.common.environment import now
from repositories.aws.settings import settings
from repositories.dynamodb import keys
from repositories.dynamodb.codec import Row
from repositories.dynamodb.iam_actions import IamAction, uses
from repositories.events.relay import row_message, send_to_queue


@uses(IamAction.PUBLISH)
def send_exports(rows: Sequence[Row]) -> int:
    """Send a message for each new part, and for each export without progress. Return their number.

    Raises Unavailable.
    """
    at = now()
    wanted = [row for row in rows if row["type"] == "export_part" or row["stalls"]]
    entries = [row_message(number, row, keys.tenant_of(row["pk"]), _wait(row, at)) for number, row in enumerate(wanted)]
    send_to_queue(settings().export_queue, entries)
    return len(wanted)


def _wait(row: Row, at: datetime) -> float:
    """Return the seconds until the work of a row can begin."""
    return (datetime.fromisoformat(row["begins_at"]) - at).total_seconds() if "begins_at" in row else 0
