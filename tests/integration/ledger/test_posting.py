"""Tests of posting transactions."""

import random
from contextlib import nullcontext, suppress
from datetime import timedelta
from typing import Any

import pytest

from domain.common.environment import now
from domain.common.errors import Contention, Unavailable
from domain.common.money import Money
from domain.ledger.accounts import Direction
from domain.ledger.transactions import NewEntry, NewTransaction
from repositories.ledger.posting import COMMIT_SECONDS
from tests.books import account, balance, entry, ledger, money, post, transfer
from tests.faults import FAULTS, injected, interleaved
from tests.integration.ledger.common import balances
from tests.shop import Shop, race


def test_a_transaction_moves_money_and_is_shown(shop: Shop) -> None:
    bank, capital = account(shop), account(shop, "equity")
    answer = post(
        shop,
        entry(bank, "debit", 50000),
        entry(capital, "credit", 50000),
        reference="R-1",
        effective_date="2026-01-31",
    )
    txn = answer.json
    assert (answer.status, answer.headers["location"]) == (201, f"/v1/ledger/transactions/{txn['id']}")
    assert (txn["reference"], txn["effective_date"], txn["reversed_by"]) == ("R-1", "2026-01-31", None)
    assert shop.get(f"/ledger/transactions/{txn['id']}").json == txn
    assert (balance(shop, bank), balance(shop, capital)) == ("500.00", "500.00")
    [line] = shop.get(f"/ledger/accounts/{bank}/entries").json["items"]
    assert (line["sequence"], line["direction"], line["transaction_id"]) == (1, "debit", txn["id"])
    assert (line["amount"], line["balance_after"]) == (money(50000), money(50000))
    assert line["posted_at"] == txn["posted_at"]
    for query in ("?", "?reference=R-1&"):
        assert [each["id"] for each in shop.walk(10, f"/ledger/transactions{query}")] == [txn["id"]]
    assert shop.walk(10, "/ledger/transactions?reference=R-2&") == []


def test_a_transaction_of_two_entries_fits_its_budget(shop: Shop) -> None:
    bank, capital = account(shop), account(shop, "equity")
    for n in range(2):
        answer = post(shop, entry(bank, "debit", 1), entry(capital, "credit", 1), reference=f"R-{n}")
        assert (answer.reads, answer.writes) == (3, 12)


def test_what_does_not_balance_is_refused_with_pointers(shop: Shop) -> None:
    bank, capital, yen = account(shop), account(shop, "equity"), account(shop, currency="JPY")
    closed = account(shop)
    assert shop.post(f"/ledger/accounts/{closed}/close", None).json["status"] == "closed"
    foreign = account(Shop(shop.send))
    yens = {"amount": "100", "currency": "JPY"}
    good = [entry(bank, "debit", 100), entry(capital, "credit", 100)]
    cases: list[tuple[list[dict[str, Any]], dict[str, Any], list[str]]] = [
        ([entry(bank, "debit", 100), entry(capital, "credit", 99)], {}, ["/entries"]),
        ([entry(bank, "debit", 100), entry(capital, "debit", 100)], {}, ["/entries"]),
        ([entry(bank, "debit", 100)], {}, ["/entries"]),
        ([entry(bank, "debit", 0), entry(capital, "credit", 0)], {}, ["/entries/0/amount", "/entries/1/amount"]),
        ([entry(bank, "debit", -5), entry(capital, "credit", -5)], {}, ["/entries/0/amount/amount"]),
        ([*good, entry(bank, "debit", 100) | {"amount": yens}], {}, ["/entries"]),
        ([entry(yen, "debit", 100), entry(capital, "credit", 100)], {}, ["/entries/0/amount/currency"]),
        ([entry(closed, "debit", 100), entry(capital, "credit", 100)], {}, ["/entries/0/account_id"]),
        ([entry(foreign, "debit", 100), entry(capital, "credit", 100)], {}, ["/entries/0/account_id"]),
        ([entry("nonsense", "debit", 100), entry(capital, "credit", 100)], {}, ["/entries/0/account_id"]),
        ([entry(bank, "debit", 90), *[entry(capital, "credit", 1)] * 90], {}, ["/entries"]),
        (good, {"effective_date": "10000-01-01"}, ["/effective_date"]),
        (good, {"effective_date": 1}, ["/effective_date"]),
        (good, {"effective_date": "2026-02-30"}, ["/effective_date"]),
    ]
    for entries, fields, pointers in cases:
        answer = post(shop, *entries, **fields)
        assert (answer.status, answer.code, answer.pointers[: len(pointers)]) == (400, "VALIDATION_ERROR", pointers)
        assert answer.writes == 0
    assert balance(shop, bank) == "0.00"
    assert shop.get("/ledger/accounts?as_of=never").pointers == ["/query/as_of"]
    assert shop.get("/ledger/trial-balance?as_of=never").status == 400
    assert shop.post("/ledger/transactions", {"description": "x", "entries": good}).code == "IDEMPOTENCY_KEY_REQUIRED"


def test_ninety_entries_fit_a_transaction(shop: Shop) -> None:
    accounts = [account(shop) for _ in range(9)]
    entries = [entry(accounts[n % 9], "debit", n + 1) for n in range(89)]
    entries.append(entry(account(shop, "equity"), "credit", sum(range(1, 90))))
    assert post(shop, *entries).status == 201
    balances(shop)


def test_a_posting_between_a_postings_read_and_write_is_not_overwritten(shop: Shop, rival: Shop) -> None:
    bank, capital = account(shop), account(shop, "equity")
    with interleaved(lambda: transfer(rival, bank, capital, 100)):
        assert transfer(shop, bank, capital, 10).status == 201
    assert balance(shop, bank) == "1.10"


def test_a_chain_ahead_of_the_clock_is_waited_for(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    bank, capital = account(shop), account(shop, "equity")
    real = now
    monkeypatch.setattr("repositories.ledger.posting.now", lambda: real() + timedelta(seconds=1.9))
    first = transfer(shop, bank, capital, 1).json
    monkeypatch.undo()
    second = transfer(shop, bank, capital, 1).json
    assert second["posted_at"] == first["posted_at"]
    monkeypatch.setattr("repositories.ledger.posting.now", lambda: real() - timedelta(seconds=2))
    refused = transfer(shop, bank, capital, 1)
    assert (refused.status, refused.code, refused.headers["retry-after"]) == (503, "UNAVAILABLE", "1")


@pytest.mark.parametrize("stripes", [1, 4])
def test_the_bank_keeps_every_acknowledged_transfer_once(shop: Shop, impatient: None, stripes: int) -> None:
    """Transfer n moves 2**n minor units, so that the bits of the balances show which transfers were posted."""
    bank, *others = (account(shop) for _ in range(5))
    for each in (bank, *others):
        shop.post(f"/ledger/accounts/{each}/stripes", {"count": stripes})
    acknowledged: set[int] = set()
    chance = random.Random(4711)
    plan = [chance.choice([None, None, *FAULTS]) for _ in range(40)]

    def move(n: int) -> None:
        amount = Money.of_minor(2**n, "EUR")
        entries = [
            NewEntry(account_id=others[n % 4], direction=Direction.DEBIT, amount=amount),
            NewEntry(account_id=bank, direction=Direction.CREDIT, amount=amount),
        ]
        with suppress(Contention, Unavailable):
            ledger(shop.tenant).post(NewTransaction(description="Move", entries=entries))
            acknowledged.add(n)

    def work(worker: int) -> None:
        for n in range(worker, 40, 8):
            fault = plan[n]
            with injected(fault, at=n % 4, times=1 + n % 9) if fault else nullcontext():
                move(n)

    race(8, work)
    done = 0
    for number, each in enumerate(others):
        minor = round(float(balance(shop, each)) * 100)
        assert minor >= 0
        assert all(n % 4 == number for n in range(41) if minor >> n & 1)
        done |= minor
    transfers = {n for n in range(40) if done >> n & 1}
    assert acknowledged <= transfers
    assert round(float(balance(shop, bank)) * 100) == -done
    trial = balances(shop)
    assert len(trial["accounts"]) == 5


def test_a_posting_that_takes_too_long_is_not_committed_at_its_time(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Final balances depend on it: a posting that waited for seconds must not be committed at its original time."""
    bank, capital = account(shop), account(shop, "equity")
    monkeypatch.setattr("repositories.dynamodb.transaction.backoff_seconds", lambda _: 1.0 + COMMIT_SECONDS)
    monkeypatch.setattr("repositories.dynamodb.transaction.sleep", lambda _: None)
    with injected("conflict", at=3) as calls:
        assert transfer(shop, bank, capital, 1).code == "CONTENTION"
    assert calls.count("TransactWriteItems") == 1
    order = shop.order({shop.add(stock=1)["id"]: 1}).json["id"]
    for act in (shop.pay, lambda order: shop.move(order, "refund")):
        with injected("conflict", at=3, times=9) as calls:
            assert act(order).code == "CONTENTION"
        assert calls.count("TransactWriteItems") == 1
        shop.pay(order)
