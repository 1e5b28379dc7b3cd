"""Relay what is new in the table: events to the bus and their queue, and attempts to deliver them to theirs.

Called by Lambda with records of the stream. A failure fails the whole batch, which comes again: Lambda halves it to
find a record that always fails, and gives that to a queue of failed records.
Event: DynamoDB developer guide, "Process DynamoDB records with Lambda".
"""

from typing import Any

from handlers.invocations.invocation import name_log_lines, whole_table
from handlers.invocations.trigger import LambdaEvent, TriggerSource, log_occasion, trigger
from repositories.dynamodb.codec import decode
from repositories.events.relay import relay_events as relay
from repositories.exports.messages import send_exports
from repositories.payments.incoming.messages import send_received
from repositories.webhooks.due import send_due

RECORDS = {
    "event": ("INSERT",),
    "delivery": ("INSERT", "MODIFY"),
    "lane": ("INSERT", "MODIFY"),
    "inbox": ("INSERT",),
    "export_part": ("INSERT",),
    "export": ("MODIFY",),
}
"""Rows that are relayed: events that are new, and work that is new or due at another time than before."""


@trigger(TriggerSource.STREAM, records=RECORDS)
def relay_events(event: LambdaEvent, context: Any) -> None:
    """Relay the rows of a batch, all or none. Raises Unavailable."""
    name_log_lines(context)
    table = whole_table()
    rows = [decode(record["dynamodb"]["NewImage"]) for record in event["Records"] if _is_news(record)]
    events = [row for row in rows if row["type"] == "event"]
    relay(table, events)
    attempts = send_due([row for row in rows if row["type"] in {"delivery", "lane"}])
    received = send_received([row for row in rows if row["type"] == "inbox"])
    exports = send_exports([row for row in rows if row["type"] in {"export_part", "export"}])
    log_occasion(
        "events relayed",
        events=len(events),
        attempts=attempts,
        received=received,
        exports=exports,
        db_requests=table.meter.requests,
    )


def _is_news(record: LambdaEvent) -> bool:
    """Return whether a row has another place on the work list than before the change, or was not there."""
    change = record["dynamodb"]
    return bool(change["NewImage"].get("gsi3sk") != change.get("OldImage", {}).get("gsi3sk", ""))


handler = relay_events.handler
