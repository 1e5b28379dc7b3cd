"""Tests of expiry: the sweeper expires each unpaid order once and misses none."""

import json
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import boto3
import pytest

from cli.commands.running import RUNNING
from domain.common.environment import now
from domain.common.errors import Unavailable
from handlers.triggers.expire_holds import HoldsLeftError
from local.aws.scheduler import scheduled_event
from local.invocation import invoke
from repositories.dynamodb import transaction
from repositories.dynamodb.table import Meter, QueryPage, Table
from tests.conftest import Server
from tests.faults import injected, interleaved
from tests.integration.orders.expiring import QUARTER, status, sweep, unswept
from tests.people import Operator, new_tenant
from tests.shop import Shop, race


@pytest.fixture
def served_table(server: Server) -> Iterator[Table]:
    """Yield the running server's table; the server's own sweeper uses the real time."""
    endpoint = json.loads((server.data / RUNNING).read_text())["database"]
    yield from unswept(Table(boto3.client("dynamodb", endpoint_url=endpoint), "tradepost", Meter()))


@pytest.mark.parametrize("first", [True, False], ids=["first sweep", "later sweep"])
def test_an_order_expires_when_its_hold_ends_and_not_before(shop: Shop, table: Table, first: bool) -> None:
    item = shop.add(stock=5)
    if not first:
        sweep(table, now())
    order_id = shop.order({item["id"]: 2}).json["id"]
    sweep(table, now() + QUARTER - timedelta(seconds=5))
    assert status(shop, order_id) == "pending"
    assert shop.stock(item["id"]) == (5, 2, 3)
    sweep(table, now() + QUARTER)
    order = shop.get(f"/orders/{order_id}").json
    assert (order["status"], order["hold_expires_at"]) == ("expired", None)
    assert [(step["status"], step["by"]) for step in order["history"]][1:] == [("expired", "system")]
    assert shop.stock(item["id"]) == (5, 0, 5)
    assert sweep(table, now() + QUARTER).done == 0


def test_an_expired_order_gives_the_use_of_its_code_back(shop: Shop, table: Table) -> None:
    limits = {"max_uses": 1, "max_uses_per_customer": 1}
    discount = shop.post("/discounts", {"code": "ONCE", "percent": "5"} | limits).json["id"]
    item = shop.add(stock=5)["id"]
    assert shop.order({item: 1}, discount_code="ONCE").status == 201
    assert shop.order({item: 1}, discount_code="ONCE").code == "DISCOUNT_INVALID"
    sweep(table, now() + QUARTER)
    sweep(table, now() + QUARTER)
    assert shop.get(f"/discounts/{discount}").json["uses"] == 0
    assert shop.order({item: 1}, discount_code="ONCE").status == 201


def test_orders_that_were_settled_do_not_expire(shop: Shop, table: Table) -> None:
    item = shop.add(stock=5)
    paid, cancelled = (shop.order({item["id"]: 1}).json["id"] for _ in range(2))
    shop.pay(paid)
    shop.move(cancelled, "cancel")
    sweep(table, now() + QUARTER)
    assert (status(shop, paid), status(shop, cancelled)) == ("paid", "cancelled")
    assert shop.stock(item["id"]) == (5, 1, 4)


@pytest.mark.parametrize("pause", [timedelta(minutes=40), timedelta(hours=5)])
def test_a_sweeper_that_was_stopped_loses_nothing(shop: Shop, table: Table, pause: timedelta) -> None:
    item = shop.add(stock=5)
    sweep(table, now())
    order_id = shop.order({item["id"]: 2}).json["id"]
    sweep(table, now() + pause)
    assert status(shop, order_id) == "expired"


def _on_quarter(at: datetime, minutes: int) -> datetime:
    """Return the next full quarter of an hour after a time, plus minutes."""
    return at.replace(minute=at.minute // 15 * 15, second=0, microsecond=0) + QUARTER + timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("lag", "sweeps"),
    [(1, [1, 2, 3]), (20, [1, *range(5, 21), *range(21, 32)])],
    ids=["usual", "in an outage"],
)
def test_an_order_that_the_index_shows_late_expires_all_the_same(
    shop: Shop, table: Table, monkeypatch: pytest.MonkeyPatch, lag: int, sweeps: list[int]
) -> None:
    """An order in the index within two minutes expires at once; a later one when the last hour is swept again."""
    item = shop.add(stock=5)
    placed = _on_quarter(now(), 0)
    monkeypatch.setattr("handlers.http.admission.now", lambda: placed + timedelta(seconds=59))
    order_id = shop.order({item["id"]: 2}).json["id"]
    monkeypatch.undo()
    ends = placed + QUARTER
    sweep(table, ends)
    real = Table.query

    def lagging(self: Table, condition: str, values: Any, **options: Any) -> QueryPage:
        page = real(self, condition, values, **options)
        return QueryPage([row for row in page.rows if order_id not in row["pk"]], page.more)

    monkeypatch.setattr(Table, "query", lagging)
    for minute in (each for each in sweeps if each <= lag):
        sweep(table, ends + timedelta(minutes=minute))
    monkeypatch.undo()
    for minute in (each for each in sweeps if each > lag):
        sweep(table, ends + timedelta(minutes=minute))
    assert status(shop, order_id) == "expired"


def test_the_function_fails_while_orders_are_left_so_that_it_is_called_again(
    shop: Shop, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transaction, "backoff_seconds", lambda _: 0.0)
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
    item = shop.add(stock=5)
    order_id = shop.order({item["id"]: 1}).json["id"]
    monkeypatch.setattr("handlers.triggers.expire_holds.now", lambda: now() + QUARTER)
    with injected("conflict", at=0, times=1_000_000), pytest.raises((HoldsLeftError, Unavailable)):
        invoke("ExpireHolds", scheduled_event(now()))
    assert status(shop, order_id) == "pending"
    assert invoke("ExpireHolds", scheduled_event(now()))["expired"] >= 1
    assert status(shop, order_id) == "expired"


def test_a_payment_between_the_sweepers_read_and_its_write_wins(shop: Shop, rival: Shop, table: Table) -> None:
    item = shop.add(stock=5)
    order_id = shop.order({item["id"]: 2}).json["id"]
    with interleaved(lambda: rival.pay(order_id)):
        swept = sweep(table, now() + QUARTER)
    assert (swept.failed, swept.left) == ({}, {})
    assert status(shop, order_id) == "paid"
    assert shop.stock(item["id"]) == (5, 2, 3)


def test_an_expiry_between_a_payments_read_and_its_write_wins(shop: Shop, table: Table, rival: Shop) -> None:
    item = shop.add(stock=5)
    order_id = shop.order({item["id"]: 2}).json["id"]
    with interleaved(lambda: rival.move(order_id, "cancel")):
        refused = shop.pay(order_id)
    assert refused.code == "INVALID_STATE"
    assert shop.stock(item["id"]) == (5, 0, 5)


def test_one_of_cancel_pay_and_expire_wins_and_stock_agrees(served: Shop, served_table: Table) -> None:
    shop, table = served, served_table
    item = shop.add(stock=60)
    orders = [shop.order({item["id"]: 2}).json["id"] for _ in range(10)]
    at = now() + QUARTER

    def act(n: int) -> str:
        if n % 8 == 0:
            sweep(table, at)
            return "swept"
        order_id = orders[n % 10]
        answer = shop.pay(order_id) if n % 2 else shop.move(order_id, "cancel")
        return answer.code or str(answer.status)

    outcomes = race(32, act)
    assert set(outcomes) <= {"swept", "200", "201", "INVALID_STATE", "CONTENTION"}
    sweep(table, at)
    statuses = [status(shop, order_id) for order_id in orders]
    assert set(statuses) <= {"paid", "cancelled", "expired"}
    assert shop.stock(item["id"])[1] == 2 * statuses.count("paid")
    assert statuses.count("paid") == outcomes.count("201")
    assert all(len(shop.get(f"/orders/{order_id}").json["history"]) == 2 for order_id in orders)


def test_the_tenants_setting_says_how_long_an_order_is_held(operator: Operator, shop: Shop) -> None:
    tenant = new_tenant()
    operator.call("POST", "/tenants", tenant)
    shop.tenant = tenant["id"]
    item = shop.add(stock=5)
    for minutes in (1, 90):
        settings = {"settings": {"hold_minutes": minutes}}
        operator.call("PATCH", f"/tenants/{tenant['id']}", settings, If_Match="*")
        order = shop.order({item["id"]: 1}).json
        held = datetime.fromisoformat(order["hold_expires_at"]) - datetime.fromisoformat(order["created_at"])
        assert held == timedelta(minutes=minutes)


def test_the_local_server_expires_orders_too(server: Server) -> None:
    """The server sweeps at its start and every minute; this tests only that it sweeps, to save time."""
    deadline = time.monotonic() + 30
    while '"holds swept"' not in server.log:
        assert time.monotonic() < deadline
        time.sleep(0.1)
