"""Time of payments, as requests, sweeps and providers see it."""

import time
from datetime import timedelta
from typing import Any

import pytest

from domain.common.environment import now
from local.aws.scheduler import scheduled_event
from local.invocation import invoke
from local.simulators.banks import Banks
from repositories.dynamodb.work_list import Work
from tests.work_lists import own_work_list


class Clock:
    """Time as requests, sweeps and providers see it."""

    def __init__(self, patch: pytest.MonkeyPatch, banks: Banks) -> None:
        self.ahead = timedelta()
        for bank in (banks.stripe, banks.paypal):
            patch.setattr(bank, "_now", lambda: time.time() + self.ahead.total_seconds())
        own_work_list(patch, Work.HOLD, Work.PAYMENT, Work.REFUND, Work.INBOX, Work.RECONCILE)
        triggers = [f"triggers.{name}" for name in ("expire_holds", "sweep_payments", "process_payment_events")]
        for name in (*triggers, "http.admission", "invocations.signed"):
            patch.setattr(f"handlers.{name}.now", lambda: now() + self.ahead)


def sweep() -> Any:
    return invoke("SweepPayments", scheduled_event(now()))


def expire() -> Any:
    return invoke("ExpireHolds", scheduled_event(now()))
