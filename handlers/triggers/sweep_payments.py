"""Go on with payments and refunds that are open at their providers, every minute.

Called by EventBridge Scheduler, which retries failed calls and then sends the event to a dead-letter queue.
"""

from typing import Any

from domain.common.environment import now
from handlers.invocations.invocation import deadline_before, name_log_lines, whole_table
from handlers.invocations.trigger import LambdaEvent, TriggerSource, log_occasion, report_failures, trigger
from repositories.payments.sweeping import sweep_payments as sweep

_RESERVE_SECONDS = 3.0
"""Seconds of the function's time that are reserved for finishing what is in progress."""


@trigger(TriggerSource.SCHEDULE, every=1)
def sweep_payments(_event: LambdaEvent, context: Any) -> dict[str, int]:
    """Return how many payments, refunds and events have gone on, by kind. Raises Unavailable."""
    name_log_lines(context)
    table, deadline = whole_table(), deadline_before(context, _RESERVE_SECONDS)
    swept = sweep(table, now(), deadline)
    done = {kind.value.lower(): each.done for kind, each in swept.items()}
    failed = {work: failure.reason for each in swept.values() for work, failure in [*each.failed.items()][:20]}
    log_occasion("payments swept", **done, failed=failed, db_requests=table.meter.requests)
    for kind, each in swept.items():
        report_failures(kind, each)
    return done


handler = sweep_payments.handler
