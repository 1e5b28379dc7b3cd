"""Tests of expiry that fails, runs out of time, or runs twice."""

import time
from datetime import datetime, timedelta
from typing import Any

import pytest

from domain.common.environment import now
from domain.common.errors import Unavailable
from domain.orders.order import Order
from handlers.http.telemetry import logger
from handlers.invocations import trigger
from repositories.dynamodb import keys
from repositories.dynamodb.table import Table
from repositories.dynamodb.transaction import WriteTransaction
from repositories.dynamodb.work_list import Failure, Work
from repositories.orders.expiry import expire_orders
from repositories.orders.repository import OrderRepository
from tests.integration.orders.expiring import QUARTER, status, sweep
from tests.shop import Shop


def test_one_order_that_fails_is_found_again_and_holds_up_no_other(
    shop: Shop, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = shop.add(stock=5)
    broken, fine = (shop.order({item["id"]: 1}).json["id"] for _ in range(2))
    real = OrderRepository.expire

    def expire(orders: OrderRepository, order_id: str) -> Order:
        if order_id == broken:
            raise ValueError("broken")
        return real(orders, order_id)

    monkeypatch.setattr(OrderRepository, "expire", expire)
    at = now() + QUARTER
    failures = [sweep(table, at + timedelta(minutes=minute)).failed.get(broken) for minute in range(16)]
    assert status(shop, fine) == "expired"
    # Due again in 2, 4, 8 and 16 minutes.
    assert [minute for minute, failure in enumerate(failures) if failure] == [0, 2, 6, 14]
    assert [failure.count for failure in failures if failure] == [1, 2, 3, 4]
    monkeypatch.undo()
    sweep(table, at + timedelta(minutes=30))
    assert status(shop, broken) == "expired"
    assert shop.stock(item["id"]) == (5, 0, 5)


def test_an_order_that_failed_can_be_paid_only_in_time_and_leaves_the_list(
    shop: Shop, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Putting work off changes neither the order nor its version."""
    item = shop.add(stock=5)
    order = shop.order({item["id"]: 1}).json
    monkeypatch.setattr(OrderRepository, "expire", _broken)
    assert sweep(table, now() + QUARTER).failed[order["id"]].count == 1
    assert shop.get(f"/orders/{order['id']}").json == order
    shop.pay(order["id"])
    assert order["id"] not in sweep(table, now() + QUARTER * 2).failed


def _broken(_orders: OrderRepository, _order_id: str) -> Order:
    raise ValueError("broken")


def test_the_mark_stays_before_an_order_that_can_neither_be_expired_nor_put_off(
    shop: Shop, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = shop.add(stock=5)
    sweep(table, now() + timedelta(minutes=10))
    order_id = shop.order({item["id"]: 1}).json["id"]

    def down(_tx: WriteTransaction, _deadline: float) -> None:
        raise Unavailable

    monkeypatch.setattr(WriteTransaction, "commit", down)
    at = now() + QUARTER + timedelta(minutes=20)
    before = _mark(table)
    assert order_id in sweep(table, at).left
    assert _mark(table) == before
    monkeypatch.undo()
    sweep(table, at)
    assert status(shop, order_id) == "expired"
    assert _mark(table) > before


def _mark(table: Table) -> str:
    return str((table.get(keys.sweep_mark(Work.HOLD)) or {})["sweep_minute"])


def test_a_payment_between_a_failure_and_putting_it_off_wins(
    shop: Shop, rival: Shop, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = shop.add(stock=5)
    order_id = shop.order({item["id"]: 1}).json["id"]

    def fail(_orders: OrderRepository, due: str) -> Order:
        if due == order_id:
            rival.pay(due)
        raise ValueError("broken")

    monkeypatch.setattr(OrderRepository, "expire", fail)
    swept = sweep(table, now() + QUARTER)
    assert order_id not in swept.failed
    assert swept.left == {}
    row = table.get(keys.order(shop.tenant, order_id)) or {}
    assert "gsi3pk" not in row


def test_an_order_that_keeps_failing_is_reported(shop: Shop, table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    item = shop.add(stock=5)
    order_id = shop.order({item["id"]: 1}).json["id"]
    monkeypatch.setattr(OrderRepository, "expire", _broken)
    at, reported = now() + QUARTER, []
    for count in range(1, 7):
        swept = sweep(table, at)
        assert swept.failed[order_id] == Failure("ValueError('broken')", count)
        lines: list[Any] = []
        monkeypatch.setattr(logger(), "error", lambda _message, extra, lines=lines: lines.append(extra["id"]))
        trigger.report_failures(Work.HOLD, swept)
        reported.append(lines.count(order_id))  # Orders of other tests are in the table, too.
        at += timedelta(minutes=2**count)
    assert reported == [0, 0, 0, 0, 1, 1]


def test_a_sweep_that_comes_late_does_not_set_the_mark_back(table: Table) -> None:
    marks = []
    for minutes in (10, 3):
        sweep(table, now() + timedelta(minutes=minutes))
        marks.append(_mark(table))
    assert marks[0] == marks[1]


def test_of_two_sweeps_at_once_the_later_one_sets_the_mark(
    shop: Shop, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = shop.add(stock=5)
    order_id = shop.order({item["id"]: 1}).json["id"]
    at, real = now() + QUARTER, OrderRepository.expire

    def expire(orders: OrderRepository, due: str) -> Order:
        monkeypatch.undo()
        sweep(table, at + timedelta(minutes=10))
        return real(orders, due)

    monkeypatch.setattr(OrderRepository, "expire", expire)
    sweep(table, at)
    assert status(shop, order_id) == "expired"
    assert datetime.fromisoformat(_mark(table)) > at + timedelta(minutes=7)


def test_a_sweep_that_has_no_time_left_leaves_the_rest_to_the_next(shop: Shop, table: Table) -> None:
    item = shop.add(stock=5)
    order_id = shop.order({item["id"]: 1}).json["id"]
    assert not expire_orders(table, now() + QUARTER, time.monotonic() - 1).in_time
    assert status(shop, order_id) == "pending"
    sweep(table, now() + QUARTER)
    assert status(shop, order_id) == "expired"
