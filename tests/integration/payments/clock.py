"""Time of payments, as requests, sweeps and providers see it."""

import time
from datetime import timedelta
from typing import Any

import pytest

from domain.common.environment import now
from local.aws.scheduler import scheduled_event
from local.invocation import invoke
from local.simulators.banks import Banks
from repositories.aws.clients import dynamodb
from repositories.dynamodb import keys, work_keys
from repositories.dynamodb.codec import encode, new_row
from repositories.dynamodb.work_list import Work


class Clock:
    """Time as requests, sweeps and providers see it. Sweeps skip partitions of the work list that are empty."""

    def __init__(self, patch: pytest.MonkeyPatch, banks: Banks) -> None:
        self.ahead = timedelta()
        for bank in (banks.stripe, banks.paypal):
            patch.setattr(bank, "_now", lambda: time.time() + self.ahead.total_seconds())
        minute = now().replace(second=0, microsecond=0) - timedelta(minutes=2)
        for kind in (Work.HOLD, Work.PAYMENT, Work.REFUND, Work.INBOX, Work.RECONCILE):
            # Other tests have swept at other times.
            mark = new_row(keys.sweep_mark(kind), "sweep", sweep_minute=minute.isoformat())
            dynamodb().put_item(TableName="tradepost", Item=encode(mark))
        triggers = [f"triggers.{name}" for name in ("expire_holds", "sweep_payments", "process_payment_events")]
        for name in (*triggers, "http.admission", "invocations.signed"):
            patch.setattr(f"handlers.{name}.now", lambda: now() + self.ahead)
        due_pks = work_keys.due_pks
        patch.setattr(work_keys, "due_pks", lambda *given: [pk for pk in due_pks(*given) if pk in _FILLED])


_FILLED: set[str] = set()
"""Partitions of the work list that had rows when the last sweep began."""


def _look_for_work() -> None:
    _FILLED.clear()
    for page in dynamodb().get_paginator("scan").paginate(TableName="tradepost", IndexName="gsi3"):
        _FILLED.update(row["gsi3pk"]["S"] for row in page["Items"])


def sweep() -> Any:
    _look_for_work()
    return invoke("SweepPayments", scheduled_event(now()))


def expire() -> Any:
    _look_for_work()
    return invoke("ExpireHolds", scheduled_event(now()))
