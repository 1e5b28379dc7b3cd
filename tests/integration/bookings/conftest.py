"""Fixtures of the tests of bookings."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.progress import Progress

from cli.audit import Audit
from domain.common.environment import now
from local.aws.scheduler import scheduled_event
from local.invocation import invoke
from repositories.aws.clients import dynamodb
from repositories.dynamodb.table import Meter, Table
from repositories.dynamodb.work_list import Work
from tests.integration.bookings.common import resource
from tests.shop import Shop
from tests.work_lists import own_work_list


class Clock:
    """Time as requests and sweeps see it."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.ahead = timedelta()
        own_work_list(patch, Work.HOLD, Work.BOOKING)
        for name in ("triggers.expire_holds", "http.admission", "invocations.signed"):
            patch.setattr(f"handlers.{name}.now", lambda: now() + self.ahead)

    def sweep(self) -> Any:
        """Return what a sweep of holds has done."""
        return invoke("ExpireHolds", scheduled_event(now()))


@pytest.fixture
def clock(database: str, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock that can be set forward."""
    return Clock(monkeypatch)


@pytest.fixture
def room(shop: Shop) -> str:
    """A resource of one unit that can be booked."""
    return resource(shop)


@pytest.fixture(autouse=True)
def audited(request: pytest.FixtureRequest, shop: Shop, tmp_path: Path) -> Iterator[None]:
    """Check after each test that calendars, bookings and orders agree, when all holds have ended.

    Not with a clock: rows are then on the test's own work list.
    """
    yield
    if "clock" in request.fixturenames:
        return
    with Progress(disable=True) as bar, pytest.MonkeyPatch.context() as patch:
        patch.setattr("cli.audit.bookings.now", lambda: now() + timedelta(days=1))
        Audit(Table(dynamodb(), "tradepost", Meter()), shop.tenant, tmp_path / "state", 1e6, bar).run()
