"""Messages about attempts that are due, and the sweep for those whose message was lost or due too late to delay it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from domain.common.environment import now
from repositories.aws.settings import settings
from repositories.dynamodb.codec import Row
from repositories.dynamodb.iam_actions import IamAction, uses
from repositories.dynamodb.table import Table
from repositories.dynamodb.work_keys import DueRow
from repositories.dynamodb.work_list import Swept, Work, move, sweep
from repositories.events.relay import row_message, send_to_queue
from repositories.webhooks.rows import LONGEST_DELAY, attempt_at, due_attributes

_FIRST = timedelta(hours=1)
"""Time to look back without a mark: there were no attempts before the sweep."""


@uses(IamAction.PUBLISH)
def send_due(rows: Sequence[Row]) -> int:
    """Send a message for each row with an attempt that is due soon; return their number. Raises Unavailable."""
    at = now()
    soon = [row for row in rows if "gsi3sk" in row and attempt_at(row) - at <= LONGEST_DELAY]
    entries = [
        row_message(number, row, row["pk"], (attempt_at(row) - at).total_seconds(), due=row["gsi3sk"])
        for number, row in enumerate(soon)
    ]
    send_to_queue(settings().delivery_queue, entries)
    return len(soon)


@uses(IamAction.GET, IamAction.UPDATE, IamAction.PUT, IamAction.DUE)
def sweep_deliveries(table: Table, at: datetime, deadline: float) -> Swept:
    """Make overdue attempts due now, so that the relay sends another message, until `deadline` (monotonic clock)."""

    def wake(row: DueRow) -> bool:
        return move(table, "make it due now", row, due_attributes(row.id, at, at), deadline)

    return sweep(table, Work.DELIVERY, wake, at, deadline, _FIRST)
