"""Tests of the limit of each tenant's function time."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.common.errors import Unavailable
from handlers.http import admission
from handlers.http.telemetry import Telemetry
from repositories.aws.clients import dynamodb
from repositories.aws.settings import settings
from repositories.dynamodb import keys
from repositories.dynamodb.table import Meter, Table
from repositories.dynamodb.tenant_usage import TenantUsage
from tests.shop import Shop, race

AT = datetime(2026, 11, 30, 12, 0, 1, tzinfo=UTC)
NEXT = AT + timedelta(seconds=10)


@pytest.fixture
def table(database: str) -> Table:
    return Table(dynamodb(), "tradepost", Meter())


def _used(table: Table, tenant: str, at: datetime = AT) -> int:
    row = table.get(keys.usage(tenant, int(at.timestamp()) // 10 * 10))
    return int(row["used_ms"]) if row else 0


def test_a_tenant_is_refused_once_it_has_used_what_it_may_until_the_window_ends(table: Table, shop: Shop) -> None:
    usage, tenant = TenantUsage(), shop.tenant
    for _ in range(3):
        usage.add(table, tenant, 2.0, AT, concurrency=0.5)
    assert usage.is_over(tenant, AT)
    assert not usage.is_over("another", AT)
    assert not usage.is_over(tenant, NEXT)


def test_environments_see_each_others_usage(table: Table, shop: Shop) -> None:
    environments = [TenantUsage() for _ in range(8)]
    race(8, lambda number: environments[number].add(table, shop.tenant, 2.0, AT, 1.0))
    assert _used(table, shop.tenant) == 16_000
    environments[0].add(table, shop.tenant, 2.0, AT, 1.0)
    assert environments[0].is_over(shop.tenant, AT)


def test_little_traffic_writes_nothing(table: Table, shop: Shop) -> None:
    usage = TenantUsage()
    for second in range(100):
        usage.add(table, shop.tenant, 0.19, AT + timedelta(seconds=second), 10.0)
    assert table.meter.requests == 0


def test_a_tenant_that_was_over_its_limit_is_watched_closely(table: Table, shop: Shop) -> None:
    """Otherwise each environment would serve it for two seconds of each window."""
    usage, other = TenantUsage(), TenantUsage()
    usage.add(table, shop.tenant, 20.0, AT, 1.0)
    other.add(table, shop.tenant, 20.0, NEXT, 1.0)
    usage.add(table, shop.tenant, 0.15, NEXT, 1.0)
    assert usage.is_over(shop.tenant, NEXT)
    calm = NEXT + timedelta(seconds=20)
    usage.add(table, shop.tenant, 0.15, calm, 1.0)
    assert _used(table, shop.tenant, calm) == 0


def test_time_that_cannot_be_written_is_added_later(table: Table, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def down(*_: Any, **__: Any) -> int:
        raise Unavailable

    usage = TenantUsage()
    with monkeypatch.context() as patch:
        patch.setattr(Table, "add", down)
        usage.add(table, shop.tenant, 3.0, AT, 10.0)
    usage.add(table, shop.tenant, 0.5, AT, 10.0)
    assert _used(table, shop.tenant) == 3500


@pytest.fixture
def limited(database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let each tenant have a hundredth of an execution, and each request take a tenth of a second."""
    monkeypatch.setenv("TENANT_CONCURRENCY", "0.01")
    settings.cache_clear()
    monkeypatch.setattr(admission, "usage", TenantUsage())
    monkeypatch.setattr(admission, "now", lambda: AT)
    monkeypatch.setattr(Telemetry, "seconds", 0.11)
    yield
    monkeypatch.undo()
    settings.cache_clear()


def test_a_noisy_tenant_gets_429_and_its_neighbour_is_served(limited: None, shop: Shop) -> None:
    neighbour = Shop(shop.send)
    assert shop.get("/items").status == 200
    for refused in (shop.get("/items"), shop.post("/items", {"bad": 1}, key="k")):
        assert (refused.status, refused.code) == (429, "TOO_MANY_REQUESTS")
        assert refused.headers["retry-after"] == "1"
        assert refused.headers["x-db-requests"] == "0"
    assert shop.acting_as("customer").get("/items").status == 429
    assert neighbour.get("/items").status == 200


def test_a_write_over_the_limit_is_counted_in_its_units_and_answered(limited: None, shop: Shop) -> None:
    item = {"name": "Mug", "price": {"amount": "1.00", "currency": "EUR"}}
    created, again = shop.post("/items", item, key="k"), Shop(shop.send).post("/items", item, key="k")
    assert (created.status, again.status) == (201, 201)
    assert created.writes == again.writes == 9 + 2  # The first in a window makes the row.


def test_a_limit_that_cannot_be_counted_changes_no_answer(
    limited: None, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> int:
        raise ValueError("no permission")

    monkeypatch.setattr(Table, "add", broken)
    assert [shop.get("/items").status for _ in range(3)] == [200, 200, 200]
