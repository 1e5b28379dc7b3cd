"""Tests of balances and trial balances at an instant."""

import random
import threading
import time
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks.ledger import entry_of_one
from domain.common.environment import now
from domain.common.errors import Contention
from domain.common.model import to_rfc3339
from domain.common.money import Money
from domain.ledger.accounts import Direction
from domain.ledger.posting import ChainHead
from domain.ledger.transactions import NewEntry, NewTransaction
from handlers.invocations.trigger import Size
from repositories.aws.clients import dynamodb
from repositories.dynamodb import keys
from repositories.ledger.chains import Chains
from tests.books import account, ledger, money, transfer
from tests.faults import before_call, interleaved, unseen
from tests.integration.ledger.common import balances
from tests.shop import Shop, race


def test_skewed_writers_leave_books_that_balance_at_every_instant(shop: Shop, impatient: None) -> None:
    accounts = [account(shop, "asset" if n % 2 else "income") for n in range(6)]
    shop.post(f"/ledger/accounts/{accounts[0]}/stripes", {"count": 4})
    skews = threading.local()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("repositories.ledger.posting.now", lambda: now() + getattr(skews, "by", timedelta()))

        def write(worker: int) -> None:
            chance = random.Random(worker)
            skews.by = timedelta(milliseconds=chance.randint(-400, 400))
            for _ in range(8):
                debit, credit = chance.sample(accounts, 2)
                amount = Money.of_minor(chance.randint(1, 10_000), "EUR")
                entries = [
                    NewEntry(account_id=debit, direction=Direction.DEBIT, amount=amount),
                    NewEntry(account_id=credit, direction=Direction.CREDIT, amount=amount),
                ]
                try:
                    ledger(shop.tenant).post(NewTransaction(description="Move", entries=entries))
                except Contention:
                    continue

        race(16, write)
    lines = {each: shop.walk(50, f"/ledger/accounts/{each}/entries?") for each in accounts}
    for each in lines.values():
        for stripe in range(4):
            times = [line["posted_at"] for line in each if line["stripe"] == stripe]
            assert all(later >= earlier for later, earlier in pairwise(times))
    moments = sorted(line["posted_at"] for each in lines.values() for line in each)
    first, last = (datetime.fromisoformat(each) for each in (moments[0], moments[-1]))
    assert len(moments) > 200
    chance = random.Random(1)
    for n in range(400):
        instant = first + (last - first) * chance.uniform(-0.02, 1.02)
        assert _sum_of_entries(lines, instant) == 0
        if n % 10:
            _check_instant(shop, lines, accounts[n % 6], instant)
        else:
            assert _sum_of_trial(shop, instant) == 0
    early = [(accounts[n % 6], first + (last - first) * n / 20) for n in range(20)]
    answers = [ledger(shop.tenant).balance(*each) for each in early]
    transfer(shop, accounts[0], accounts[1], 1)
    assert [ledger(shop.tenant).balance(*each).balance for each in early] == [each.balance for each in answers]


def _check_instant(shop: Shop, lines: dict[str, list[dict[str, Any]]], account_id: str, instant: datetime) -> None:
    """Check the ledger's balances at an instant against the sums of the entries up to it."""
    found = ledger(shop.tenant).balance(account_id, instant)
    before = [line for line in lines[account_id] if datetime.fromisoformat(line["posted_at"]) <= instant]
    assert found.entries == len(before)
    normal = ledger(shop.tenant).account(account_id).normal
    total = sum(
        round(float(line["amount"]["amount"]) * 100) * (1 if line["direction"] == normal else -1) for line in before
    )
    assert found.balance.minor == total


def _sum_of_entries(lines: dict[str, list[dict[str, Any]]], instant: datetime) -> int:
    """Return debits less credits of all entries up to an instant."""
    until = to_rfc3339(instant)
    return sum(
        round(float(line["amount"]["amount"]) * 100) * (1 if line["direction"] == "debit" else -1)
        for each in lines.values()
        for line in each
        if line["posted_at"] <= until
    )


def _sum_of_trial(shop: Shop, instant: datetime) -> float:
    trial = ledger(shop.tenant).trial_balance(instant)
    return sum(round(float(total.debit) * 100) - round(float(total.credit) * 100) for total in trial.totals)


def test_an_instant_is_final_when_nothing_can_come_before_it(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    bank, capital = account(shop, floor="0"), account(shop, "equity")
    first = transfer(shop, bank, capital, 1).json["posted_at"]
    path = f"/ledger/accounts/{bank}/balance"
    assert shop.get(path).json["final"] is False
    time.sleep(0.01)
    transfer(shop, bank, capital, 1)
    past = shop.get(f"{path}?as_of={first}").json
    assert (past["final"], past["entries"], past["balance"]) == (True, 1, money(1))
    of_capital = shop.get(f"/ledger/accounts/{capital}/balance?as_of={first}").json
    assert (of_capital["final"], of_capital["entries"]) == (False, 1)
    later = to_rfc3339(datetime.now(UTC) + timedelta(seconds=1))
    assert shop.get(f"{path}?as_of={later}").json["final"] is False
    monkeypatch.setattr("handlers.http.admission.now", lambda: now() + timedelta(seconds=40))
    assert shop.get(f"{path}?as_of={later}").json["final"] is True
    assert balances(shop, later)["final"] is True


def test_what_is_final_stays_though_an_account_gets_another_stripe(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Entries of the new stripe may be earlier than the last entry of the first stripe."""
    bank, capital = account(shop), account(shop, "equity")
    monkeypatch.setattr("repositories.ledger.posting.now", lambda: now() + timedelta(seconds=1.9))
    transfer(shop, bank, capital, 1)
    monkeypatch.undo()
    path = f"/ledger/accounts/{bank}/balance?as_of={to_rfc3339(now() + timedelta(seconds=1))}"
    before = shop.get(path).json
    assert shop.post(f"/ledger/accounts/{bank}/stripes", {"count": 2}).status == 200
    monkeypatch.setattr("repositories.ledger.chains.chance", lambda: SimpleNamespace(randrange=lambda count: count - 1))
    other = account(shop, "equity")
    transfer(shop, bank, other, 5)
    after = shop.get(path).json
    assert (before["final"], before["balance"], after["balance"]) == (False, money(0), money(5))


@pytest.mark.parametrize("slow", ["debit", "credit"])
def test_a_trial_balance_is_not_taken_while_a_posting_is_visible_in_one_chain_only(shop: Shop, slow: str) -> None:
    bank, capital = account(shop), account(shop, "equity")
    transfer(shop, bank, capital, 5)
    transfer(shop, bank, capital, 7)
    chain = keys.chain_pk(shop.tenant, bank if slow == "debit" else capital, 0)

    def hidden(pk: str, sk: str) -> bool:
        return pk == chain and sk.endswith("2")

    soon = to_rfc3339(now() + timedelta(seconds=1))
    for reads in (3, 6, 9):
        with unseen(hidden, reads=reads):
            totals = shop.get(f"/ledger/trial-balance?as_of={soon}").json["totals"]
        assert totals == [{"currency": "EUR", "debit": "0.12", "credit": "0.12"}]
    with unseen(hidden, reads=1000):
        assert shop.get(f"/ledger/trial-balance?as_of={soon}").code == "CONTENTION"
        settled = shop.get("/ledger/trial-balance").json
    assert (settled["final"], settled["totals"]) == (True, [{"currency": "EUR", "debit": "0.00", "credit": "0.00"}])


def test_a_balance_is_a_sum_that_there_was(shop: Shop, rival: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The account's stripes are read one after the other, while others post to both."""
    bank, capital = account(shop), account(shop, "equity")
    shop.post(f"/ledger/accounts/{bank}/stripes", {"count": 2})
    book, stripes = ledger(shop.tenant), iter([0, 1])
    picked = SimpleNamespace(randrange=lambda count: next(stripes) if count == 2 else 0)
    monkeypatch.setattr("repositories.ledger.chains.chance", lambda: picked)

    def meanwhile() -> None:
        # Adds to the stripe that was read already, then takes from the other one.
        for debit, credit, minor in ((bank, capital, 5), (capital, bank, 3)):
            sides = ((debit, Direction.DEBIT), (credit, Direction.CREDIT))
            entries = [
                NewEntry(account_id=each, direction=side, amount=Money.of_minor(minor, "EUR")) for each, side in sides
            ]
            book.post(NewTransaction(description="Between", entries=entries))

    with before_call(1, meanwhile, dynamodb()):
        shown = shop.get(f"/ledger/accounts/{bank}/balance").json
    assert shown["balance"]["amount"] in {"0.00", "0.05", "0.02"}


def test_a_balance_that_others_never_leave_alone_is_told_as_of_the_settled_past(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    bank, capital = account(shop), account(shop, "equity")
    shop.post(f"/ledger/accounts/{bank}/stripes", {"count": 2})
    transfer(shop, bank, capital, 5)
    monkeypatch.setattr("repositories.dynamodb.session.backoff_seconds", lambda _: 0.0)
    seen = iter(range(1000))
    real = Chains.all

    def always_another(self: Chains, account_id: str) -> list[ChainHead]:
        first, *others = real(self, account_id)
        return [replace(first, sequence=next(seen)), *others]

    monkeypatch.setattr(Chains, "all", always_another)
    path = f"/ledger/accounts/{bank}/balance"
    assert shop.get(f"{path}?as_of={to_rfc3339(now())}").code == "CONTENTION"
    monkeypatch.setattr("handlers.http.admission.now", lambda: now() + timedelta(seconds=40))
    settled = shop.get(path).json
    assert (settled["final"], settled["balance"]) == (True, money(5))


def test_a_trial_balance_of_too_many_accounts_is_refused_and_never_out_of_time(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        account(shop)
    monkeypatch.setattr("repositories.ledger.trial_balance.MAX_ACCOUNTS", 2)
    refused = shop.get("/ledger/trial-balance")
    assert (refused.status, refused.code) == (409, "INVALID_STATE")
    assert "3 accounts" in refused.json["detail"]
    monkeypatch.undo()
    assert len(shop.get("/ledger/trial-balance").json["accounts"]) == 3
    monkeypatch.setattr("local.invocation._sizes", lambda: defaultdict(lambda: Size(seconds=1)))
    assert shop.get("/ledger/trial-balance").code == "UNAVAILABLE"


@pytest.mark.parametrize("as_of", ["0001-01-01T00:00:00%2B01:00", "9999-12-31T23:59:59-01:00"])
def test_an_instant_beyond_the_ends_of_time_is_refused(shop: Shop, as_of: str) -> None:
    bank = account(shop)
    for path in (f"/ledger/accounts/{bank}/balance", "/ledger/trial-balance"):
        refused = shop.get(f"{path}?as_of={as_of}")
        assert (refused.status, refused.code, refused.pointers) == (400, "VALIDATION_ERROR", ["/query/as_of"])
    for end in ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"):
        assert shop.get(f"/ledger/accounts/{bank}/balance?as_of={end}").status == 200


def test_empty_books_balance_at_every_instant(shop: Shop) -> None:
    for query in ("", f"?as_of={to_rfc3339(now())}", "?as_of=2026-01-01T00:00:00Z"):
        shown = shop.get(f"/ledger/trial-balance{query}")
        assert (shown.status, shown.json["accounts"], shown.json["totals"]) == (200, [], [])


def test_a_trial_balance_is_of_one_moment_though_a_posting_comes_between(shop: Shop, rival: Shop) -> None:
    accounts = [account(shop) for _ in range(4)]
    transfer(shop, accounts[0], accounts[1], 5)
    for number in (2, 3, 5, 8):
        with interleaved(lambda: transfer(rival, accounts[0], accounts[3], 7), before="Query", number=number):
            balances(shop, to_rfc3339(now() + timedelta(seconds=1)))


@pytest.mark.parametrize("bursty", [False, True])
@pytest.mark.parametrize(("length", "most"), [(1_000, 14), (10_000, 20)])
def test_an_instant_is_found_in_a_handful_of_reads(shop: Shop, length: int, most: int, bursty: bool) -> None:
    """Rows are written directly: entry n at the nth tick, or all but a few in two bursts."""
    bank = account(shop)
    start = datetime(2026, 1, 1, tzinfo=UTC)

    def at(n: int) -> datetime:
        return start + (timedelta(days=100 * (n > length // 3), milliseconds=n) if bursty else timedelta(seconds=n))

    for low in range(1, length + 1, 25):
        rows = [entry_of_one(shop.tenant, bank, n, at(n)) for n in range(low, min(low + 25, length + 1))]
        dynamodb().batch_write_item(RequestItems={"tradepost": [{"PutRequest": {"Item": row}} for row in rows]})
    chance = random.Random(length)
    for n in [1, length // 3, length // 3 + 1, length, *(chance.randrange(1, length) for _ in range(20))]:
        book = ledger(shop.tenant)
        found = book.balance(bank, at(n))
        assert (found.entries, found.balance.minor) == (n, n)
        assert book.session.table.meter.read_units <= (most if not bursty else 2 * most)
