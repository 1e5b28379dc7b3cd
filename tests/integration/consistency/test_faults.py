"""Tests of faults at every call: after a retry, a command has one effect and one answer."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from domain.common.environment import now
from repositories.dynamodb import transaction
from tests.faults import FAULTS, Fault, injected
from tests.shop import Answer, Shop, new_item

FOR_GOOD = 1000


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch, database: str) -> None:
    """Skip the pauses between attempts, which these tests do not need."""
    monkeypatch.setattr(transaction, "backoff_seconds", lambda _: 0.0)
    monkeypatch.setattr("repositories.dynamodb.table.backoff_seconds", lambda _: 0.0)
    monkeypatch.setattr("repositories.dynamodb.session.backoff_seconds", lambda _: 0.0)
    monkeypatch.setattr("repositories.dynamodb.transaction.backoff_seconds", lambda _: 0.0)
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)


def _item(shop: Shop) -> dict[str, Any]:
    return shop.add(sku="OLD", stock=10)


def _order(*moves: str) -> Callable[[Shop], dict[str, Any]]:
    """Return a function that orders three of an item's ten units and applies the moves to the order."""

    def prepare(shop: Shop) -> dict[str, Any]:
        item = _item(shop)
        order_id = shop.order({item["id"]: 3}).json["id"]
        for move in moves:
            (shop.pay(order_id) if move == "pay" else shop.move(order_id, move))
        return {"id": item["id"], "order": order_id}

    return prepare


def _is(shop: Shop, made: dict[str, Any], status: str, stock: tuple[int, int, int]) -> bool:
    [order] = shop.walk(50, "/orders?")
    return bool(order["status"] == status) and shop.stock(made["id"]) == stock


def _lines(made: dict[str, Any], units: int, restock: bool | None = None) -> list[dict[str, Any]]:
    line = {"item_id": made["id"], "quantity": units}
    return [line if restock is None else line | {"restock": restock}]


def _count(shop: Shop, made: dict[str, Any], what: str) -> int:
    return len(shop.get(f"/orders/{made['order']}/{what}").json["items"])


def _with_code(shop: Shop) -> dict[str, Any]:
    """Add an item, and a code that one order may use."""
    shop.post("/discounts", {"code": "TEN", "percent": "10", "max_uses": 1})
    return _item(shop)


def _with_used_code(shop: Shop) -> dict[str, Any]:
    item = _with_code(shop)
    return {"id": item["id"], "order": shop.order({item["id"]: 3}, discount_code="TEN").json["id"]}


def _uses(shop: Shop) -> int:
    [discount] = shop.walk(9, "/discounts?")
    uses: int = discount["uses"]
    return uses


@dataclass(frozen=True)
class Command:
    """Command, and the condition that must hold after it, regardless of the number of times it was sent."""

    name: str
    send: Callable[[Shop, dict[str, Any]], Answer]
    holds: Callable[[Shop, dict[str, Any]], bool]
    status: int = 200
    prepare: Callable[[Shop], dict[str, Any]] = _item


COMMANDS = [
    Command(
        "create",
        lambda shop, _: shop.post("/items", new_item(sku="NEW"), key="k"),
        lambda shop, _: len(shop.walk(50)) == 2,
        201,
    ),
    Command(
        "adjust",
        lambda shop, item: shop.adjust(item["id"], -3, key="k"),
        lambda shop, item: shop.item(item["id"])["stock"]["on_hand"] == 7,
    ),
    Command(
        "batch",
        lambda shop, _: shop.post("/items/batch", {"items": [new_item(sku=f"S{n}") for n in range(3)]}, key="k"),
        lambda shop, _: len(shop.walk(50)) == 4,
    ),
    Command(
        "split",
        lambda shop, item: shop.post(f"/items/{item['id']}/stock-buckets", {"count": 4}, key="k"),
        lambda shop, item: shop.stock(item["id"]) == (10, 0, 10) and shop.item(item["id"])["version"] == 2,
    ),
    Command(
        "place",
        lambda shop, item: shop.order({item["id"]: 3}, key="k"),
        lambda shop, item: _is(shop, item, "pending", (10, 3, 7)),
        201,
    ),
    Command(
        "pay",
        lambda shop, made: shop.pay(made["order"], key="k"),
        lambda shop, made: _is(shop, made, "paid", (10, 3, 7)),
        201,
        _order(),
    ),
    Command(
        "cancel",
        lambda shop, made: shop.move(made["order"], "cancel", key="k"),
        lambda shop, made: _is(shop, made, "cancelled", (10, 0, 10)),
        prepare=_order(),
    ),
    Command(
        "ship",
        lambda shop, made: shop.move(made["order"], "ship", key="k"),
        lambda shop, made: _is(shop, made, "shipped", (7, 0, 7)),
        prepare=_order("pay"),
    ),
    Command(
        "deliver",
        lambda shop, made: shop.move(made["order"], "deliver", key="k"),
        lambda shop, made: _is(shop, made, "delivered", (7, 0, 7)),
        prepare=_order("pay", "ship"),
    ),
    Command(
        "refund",
        lambda shop, made: shop.move(made["order"], "refund", key="k"),
        lambda shop, made: _is(shop, made, "refunded", (10, 0, 10)),
        prepare=_order("pay"),
    ),
    Command(
        "ship a part",
        lambda shop, made: shop.post(f"/orders/{made['order']}/shipments", {"lines": _lines(made, 2)}, key="k"),
        lambda shop, made: _is(shop, made, "paid", (8, 1, 7)) and _count(shop, made, "shipments") == 1,
        201,
        _order("pay"),
    ),
    Command(
        "refund a part",
        lambda shop, made: shop.post(f"/orders/{made['order']}/refunds", {"lines": _lines(made, 2)}, key="k"),
        lambda shop, made: _is(shop, made, "paid", (10, 1, 9)) and _count(shop, made, "refunds") == 1,
        201,
        _order("pay"),
    ),
    Command(
        "take back",
        lambda shop, made: shop.post(f"/orders/{made['order']}/refunds", {"lines": _lines(made, 2, True)}, key="k"),
        lambda shop, made: _is(shop, made, "shipped", (9, 0, 9)) and _count(shop, made, "refunds") == 1,
        201,
        _order("pay", "ship"),
    ),
    Command(
        "add a code",
        lambda shop, _: shop.post("/discounts", {"code": "TEN", "percent": "10"}, key="k"),
        lambda shop, _: len(shop.walk(9, "/discounts?")) == 1,
        201,
    ),
    Command(
        "use a code",
        lambda shop, made: shop.order({made["id"]: 3}, key="k", discount_code="TEN"),
        lambda shop, made: _is(shop, made, "pending", (10, 3, 7)) and _uses(shop) == 1,
        201,
        _with_code,
    ),
    Command(
        "give a code back",
        lambda shop, made: shop.move(made["order"], "cancel", key="k"),
        lambda shop, made: _is(shop, made, "cancelled", (10, 0, 10)) and _uses(shop) == 0,
        prepare=_with_used_code,
    ),
]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_one_failed_call_is_made_good(shop: Shop, command: Command, fault: Fault) -> None:
    """Each call fails in turn: botocore or the transaction retries, and the client sees no error."""
    at = 0
    while True:
        tenant = Shop(shop.send)
        item = command.prepare(tenant)
        with injected(fault, at=at) as calls:
            answer = command.send(tenant, item)
        if len(calls) <= at:
            break
        assert answer.status == command.status, (at, calls, answer.body)
        assert command.holds(tenant, item)
        again = command.send(tenant, item)
        assert (again.body, again.headers["idempotent-replayed"]) == (answer.body, "true")
        at += 1
    assert at >= 1


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_an_outage_is_told_and_a_retry_after_it_is_safe(
    shop: Shop, command: Command, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All calls from a given one fail, for each in turn: 503 or CONTENTION; a later retry has one effect."""
    at = 0
    while True:
        tenant = Shop(shop.send)
        item = command.prepare(tenant)
        with injected(fault, at=at, times=FOR_GOOD) as calls:
            answer = command.send(tenant, item)
        if len(calls) <= at:
            break
        if command.name != "batch":
            expected = {"UNAVAILABLE", "CONTENTION"} if fault == "conflict" else {"UNAVAILABLE"}
            assert answer.code in expected or (fault == "conflict" and answer.status == command.status)
        monkeypatch.setattr("handlers.http.admission.now", lambda: now() + timedelta(seconds=90))
        done = command.send(tenant, item)
        monkeypatch.undo()
        assert done.status == command.status, (at, calls, answer.body, done.body)
        assert command.holds(tenant, item)
        assert command.send(tenant, item).body == done.body
        at += 1
    assert at >= 1


def test_an_answer_lost_after_the_commit_is_found_by_its_token(shop: Shop) -> None:
    with injected("answer lost", at=2) as calls:
        answer = shop.post("/items", new_item(sku="A"))
    assert calls == ["GetItem", "GetItem", "TransactWriteItems", "TransactWriteItems"]
    assert answer.status == 201
    assert len(shop.walk(10)) == 1


def test_conflicts_are_retried_a_few_times_and_then_told(shop: Shop) -> None:
    reads = 2
    with injected("conflict", at=reads, times=transaction.ATTEMPTS - 1) as calls:
        assert shop.post("/items", new_item(), key="k").status == 201
    assert calls.count("TransactWriteItems") == transaction.ATTEMPTS
    with injected("conflict", at=0, times=FOR_GOOD) as calls:
        refused = shop.post("/items", new_item(), key="k2")
    assert (refused.status, refused.code) == (409, "CONTENTION")
    assert calls.count("TransactWriteItems") == transaction.ATTEMPTS
    assert shop.post("/items", new_item(), key="k2").status == 201


def test_a_table_out_of_reach_is_told_to_come_back(shop: Shop) -> None:
    outages: list[Fault] = ["lost on the way", "throttled", "server error"]
    for fault in outages:
        with injected(fault, at=0, times=FOR_GOOD):
            for answer in (shop.get("/health"), shop.get("/items"), shop.get("/items/item_01JD3ZK8Q4M5X6Y7Z8A9B0C1D9")):
                assert (answer.status, answer.code) == (503, "UNAVAILABLE")
                assert answer.headers["retry-after"] == "1"


def test_attempts_end_at_the_deadline(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local.invocation.TIMEOUT_SECONDS", 1)
    with injected("conflict", at=0, times=FOR_GOOD) as calls:
        assert shop.post("/items", new_item()).code == "CONTENTION"
    assert calls.count("TransactWriteItems") == 1


def test_a_bug_is_an_internal_error_that_says_nothing(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("domain.items.Item.new", lambda *_: 1 / 0)
    answer = shop.post("/items", new_item(), key="k")
    assert (answer.status, answer.code) == (500, "INTERNAL_ERROR")
    assert b"Zero" not in answer.body
    monkeypatch.undo()
    assert shop.post("/items", new_item(), key="k").status == 201


def test_a_refusal_whose_record_is_lost_is_the_same_the_next_time(shop: Shop) -> None:
    item = shop.add(stock=1)
    with injected("lost on the way", at=1, times=FOR_GOOD):
        assert shop.order({item["id"]: 2}, key="k").code == "UNAVAILABLE"
    refused = shop.order({item["id"]: 2}, key="k")
    assert refused.code == "OUT_OF_STOCK"
    assert shop.order({item["id"]: 2}, key="k").body == refused.body


def test_a_transaction_that_holds_the_record_of_a_refusal_is_waited_for(shop: Shop) -> None:
    item = shop.add(stock=1)
    with injected("conflict", at=1, times=2) as calls:
        assert shop.order({item["id"]: 2}, key="k").code == "OUT_OF_STOCK"
    assert calls == ["BatchGetItem", "PutItem", "PutItem", "PutItem"]
    with injected("conflict", at=1, times=FOR_GOOD):
        assert shop.order({item["id"]: 3}, key="k2").code == "UNAVAILABLE"


def test_whatever_keeping_a_refusal_fails_with_is_told_as_a_problem(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = shop.add(stock=1)
    monkeypatch.setattr("repositories.dynamodb.idempotency.IdempotencyRecord.store", lambda *_: 1 / 0)
    assert shop.order({item["id"]: 2}, key="k").code == "INTERNAL_ERROR"
