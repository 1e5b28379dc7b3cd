"""Tests of faults at every call: after a retry, a command has one effect and one answer."""

from collections import defaultdict
from contextlib import suppress
from datetime import timedelta
from itertools import count

import pytest

from domain.common.environment import now
from handlers.invocations.trigger import Size
from repositories.dynamodb import transaction
from tests.deaths import Death, KilledError, dying
from tests.faults import FAULTS, Fault, injected
from tests.integration.consistency.commands import COMMANDS, Command
from tests.shop import Shop, new_item

FOR_GOOD = 1000


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch, database: str) -> None:
    """Skip the pauses between attempts, which these tests do not need."""
    monkeypatch.setattr(transaction, "backoff_seconds", lambda _: 0.0)
    monkeypatch.setattr("repositories.dynamodb.table.backoff_seconds", lambda _: 0.0)
    monkeypatch.setattr("repositories.dynamodb.session.backoff_seconds", lambda _: 0.0)
    monkeypatch.setattr("repositories.dynamodb.transaction.backoff_seconds", lambda _: 0.0)
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)


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


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    "command", [each for each in COMMANDS if "book" in each.name], ids=lambda command: command.name
)
def test_a_function_may_die_at_any_call(
    shop: Shop, command: Command, when: Death, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It dies before or after each call in turn; the same command, sent again later, has one effect."""
    for at in count():
        tenant = Shop(shop.send)
        made = command.prepare(tenant)
        with dying(at, when) as reaper, suppress(KilledError):
            command.send(tenant, made)
        if reaper.calls <= at:
            assert at > 2
            return
        monkeypatch.setattr("handlers.http.admission.now", lambda: now() + timedelta(seconds=90))
        done = command.send(tenant, made)
        monkeypatch.undo()
        assert (done.status, command.holds(tenant, made)) == (command.status, True), (at, done.body)


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
    monkeypatch.setattr("local.invocation._sizes", lambda: defaultdict(lambda: Size(seconds=1)))
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
