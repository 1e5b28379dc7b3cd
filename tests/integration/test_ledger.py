"""The ledger: books that balance at every instant, whoever writes them and whatever fails meanwhile."""

import random
import threading
import time
from collections import Counter
from contextlib import nullcontext, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks.ledger import entry_of_one
from domain.common.environment import now
from domain.common.errors import Contention, Unavailable
from domain.common.model import to_rfc3339
from domain.common.money import Money
from domain.ledger.accounts import Direction, NewEntry, Tail
from domain.ledger.reports import NewTransaction
from repositories.aws.clients import dynamodb
from repositories.dynamodb import keys
from repositories.ledger.chains import Chains
from repositories.ledger.posting import COMMIT_SECONDS
from tests.books import account, balance, entry, ledger, money, post, transfer
from tests.faults import FAULTS, before_call, injected, interleaved, unseen
from tests.shop import Shop, race


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("transaction", "session", "table"):
        monkeypatch.setattr(f"repositories.dynamodb.{name}.pause_before", lambda _: random.uniform(0, 0.01))
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)


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


def test_accounts_are_unique_by_code(shop: Shop) -> None:
    body = {"code": "1000", "name": "Bank", "type": "asset", "currency": "EUR"}
    made = shop.post("/ledger/accounts", body)
    assert (made.status, made.json["floor"], made.json["status"]) == (201, None, "open")
    taken = shop.post("/ledger/accounts", body)
    assert (taken.status, taken.pointers) == (409, ["/code"])
    assert shop.get(f"/ledger/accounts/{made.json['id']}").json == made.json
    assert shop.walk(10, "/ledger/accounts?") == [made.json]
    for wrong, pointer in (
        ({"code": "shop.cash.EUR"}, "/code"),
        ({"currency": "EURO"}, "/currency"),
        ({"type": "loan"}, "/type"),
        ({"floor": "0.001"}, "/floor"),
        ({"floor": {"amount": "1", "currency": "JPY"}}, "/floor"),
    ):
        answer = shop.post("/ledger/accounts", body | {"code": "2000"} | wrong)
        assert (answer.status, answer.pointers[0][: len(pointer)]) == (400, pointer), answer.body
    for floor in ("-10", {"amount": "-10.00", "currency": "EUR"}):
        assert account_floor(shop, floor) == "-10.00"


def account_floor(shop: Shop, floor: Any) -> Any:
    return shop.get(f"/ledger/accounts/{account(shop, floor=floor)}").json["floor"]


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
    assert shop.get("/ledger/accounts?as_of=never").status == 200
    assert shop.get("/ledger/trial-balance?as_of=never").status == 400
    assert shop.post("/ledger/transactions", {"description": "x", "entries": good}).code == "IDEMPOTENCY_KEY_REQUIRED"


def test_ninety_entries_fit_a_transaction(shop: Shop) -> None:
    accounts = [account(shop) for _ in range(9)]
    entries = [entry(accounts[n % 9], "debit", n + 1) for n in range(89)]
    entries.append(entry(account(shop, "equity"), "credit", sum(range(1, 90))))
    assert post(shop, *entries).status == 201
    _balances(shop)


def _balances(shop: Shop, as_of: str = "") -> dict[str, Any]:
    """The trial balance, which must balance."""
    trial: dict[str, Any] = shop.get("/ledger/trial-balance" + (f"?as_of={as_of}" if as_of else "")).json
    for total in trial["totals"]:
        assert total["debit"] == total["credit"], trial
    return trial


def test_floors_hold_and_permuting_entries_changes_nothing(shop: Shop) -> None:
    wallet, bank = account(shop, "liability", floor="0"), account(shop)
    assert transfer(shop, bank, wallet, 1000).status == 201
    refused = transfer(shop, wallet, bank, 1001)
    assert (refused.status, refused.code, refused.pointers) == (409, "INSUFFICIENT_FUNDS", ["/entries/0"])
    out, back = entry(wallet, "debit", 1500), entry(wallet, "credit", 600)
    other = [entry(bank, "credit", 1500), entry(bank, "debit", 600)]
    for entries in ([out, back, *other], [back, *other, out]):
        assert post(shop, *entries).status == 201
        lines = shop.get(f"/ledger/accounts/{wallet}/entries").json["items"]
        assert [line["direction"] for line in lines[:2]] == ["debit", "credit"]
        assert transfer(shop, bank, wallet, 900).status == 201
    lines = shop.walk(3, f"/ledger/accounts/{wallet}/entries?")
    assert all(float(line["balance_after"]["amount"]) >= 0 for line in lines)
    assert [line["sequence"] for line in lines] == list(range(len(lines), 0, -1))


def test_a_floor_is_held_against_ten_at_once(served: Shop) -> None:
    wallet, bank = account(served, "liability", floor="0"), account(served)
    transfer(served, bank, wallet, 500)
    outcomes = Counter(
        answer.code or str(answer.status) for answer in race(10, lambda _: transfer(served, wallet, bank, 100))
    )
    assert set(outcomes) <= {"201", "INSUFFICIENT_FUNDS", "CONTENTION"}
    assert balance(served, wallet) == f"{5 - outcomes['201']}.00"
    assert outcomes["201"] == 5 or outcomes["CONTENTION"]


def test_a_transaction_is_reversed_once(served: Shop) -> None:
    bank, capital = account(served), account(served, "equity")
    txn = transfer(served, bank, capital, 700).json
    answers = race(10, lambda _: served.post(f"/ledger/transactions/{txn['id']}/reverse", None))
    [reversal] = [answer.json for answer in answers if answer.status == 201]
    assert {answer.code for answer in answers if answer.status != 201} <= {"ALREADY_REVERSED", "CONTENTION"}
    assert reversal["reverses"] == txn["id"]
    assert served.get(f"/ledger/transactions/{txn['id']}").json == txn | {"reversed_by": reversal["id"]}
    assert served.post(f"/ledger/transactions/{txn['id']}/reverse", None).code == "ALREADY_REVERSED"
    assert balance(served, bank) == "0.00"
    assert len(served.walk(10, f"/ledger/accounts/{bank}/entries?")) == 2


def test_a_reversal_between_a_reversals_read_and_write_is_the_only_one(shop: Shop, rival: Shop) -> None:
    bank, capital = account(shop), account(shop, "equity")
    shop.post(f"/ledger/accounts/{bank}/stripes", {"count": 16})
    shop.post(f"/ledger/accounts/{capital}/stripes", {"count": 16})
    txn = transfer(shop, bank, capital, 700).json["id"]
    with interleaved(lambda: rival.post(f"/ledger/transactions/{txn}/reverse", None)):
        assert shop.post(f"/ledger/transactions/{txn}/reverse", None).code == "ALREADY_REVERSED"
    assert balance(shop, bank) == "0.00"


def test_a_posting_between_a_postings_read_and_write_is_not_overwritten(shop: Shop, rival: Shop) -> None:
    bank, capital = account(shop), account(shop, "equity")
    with interleaved(lambda: transfer(rival, bank, capital, 100)):
        assert transfer(shop, bank, capital, 10).status == 201
    assert balance(shop, bank) == "1.10"


def test_an_account_closed_between_takes_no_entry_and_one_posted_to_is_not_closed(shop: Shop, rival: Shop) -> None:
    bank, capital = account(shop), account(shop, "equity")
    with interleaved(lambda: rival.post(f"/ledger/accounts/{bank}/close", None)):
        refused = transfer(shop, bank, capital, 10)
    assert refused.pointers == ["/entries/0/account_id"]
    other = account(shop)
    with interleaved(lambda: transfer(rival, other, capital, 10)):
        assert shop.post(f"/ledger/accounts/{other}/close", None).code == "INVALID_STATE"
    assert shop.post(f"/ledger/accounts/{bank}/close", None).code == "INVALID_STATE"
    assert shop.post(f"/ledger/accounts/{bank}/stripes", {"count": 2}).code == "INVALID_STATE"
    third = account(shop)
    with interleaved(lambda: rival.post(f"/ledger/accounts/{third}/stripes", {"count": 4})):
        assert shop.post(f"/ledger/accounts/{third}/stripes", {"count": 2}).code == "INVALID_STATE"
    _balances(shop)


def test_stripes_that_are_there_are_an_answer_that_is_kept(shop: Shop) -> None:
    path = f"/ledger/accounts/{account(shop)}/stripes"
    first = shop.post(path, {"count": 1}, key="k")
    shop.post(path, {"count": 4})
    again = shop.post(path, {"count": 1}, key="k")
    assert (again.body, again.headers["idempotent-replayed"]) == (first.body, "true")
    assert shop.post(path, {"count": 8}, key="k").code == "IDEMPOTENCY_KEY_REUSED"
    assert shop.post(path, {"count": 4}).status == 200


def test_an_account_used_and_emptied_closes_and_keeps_its_past(shop: Shop) -> None:
    bank, capital = account(shop), account(shop, "equity")
    shop.post(f"/ledger/accounts/{bank}/stripes", {"count": 3})
    txns = [transfer(shop, bank, capital, 10).json for _ in range(4)]
    for txn in txns:
        shop.post(f"/ledger/transactions/{txn['id']}/reverse", None)
    closed = shop.post(f"/ledger/accounts/{bank}/close", None)
    assert (closed.status, closed.json["status"]) == (200, "closed")
    assert len(shop.walk(3, f"/ledger/accounts/{bank}/entries?")) == 8
    assert balance(shop, bank, txns[0]["posted_at"]) != ""
    for txn, expected in zip(txns, ("0.10", "0.20", "0.30", "0.40"), strict=True):
        assert float(balance(shop, bank, txn["posted_at"])) >= float(expected)


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


def test_an_order_is_posted_with_its_payment_and_taken_back_with_its_refund(shop: Shop) -> None:
    item = shop.add(stock=5)
    order = shop.order({item["id"]: 2}).json
    free = shop.add(price={"amount": "0", "currency": "EUR"})
    payment = shop.pay(order["id"]).json
    txn = shop.get(f"/ledger/transactions/{payment['transaction_id']}").json
    assert txn["reference"] == order["id"]
    trial = _balances(shop)
    columns = {each["code"]: (each["debit"], each["credit"]) for each in trial["accounts"]}
    assert columns == {"shop.cash.EUR": ("25.98", "0.00"), "shop.sales.EUR": ("0.00", "25.98")}
    assert shop.post(f"/ledger/transactions/{txn['id']}/reverse", None).code == "INVALID_STATE"
    assert shop.move(order["id"], "refund").status == 200
    for each in trial["accounts"]:
        assert shop.post(f"/ledger/accounts/{each['account_id']}/close", None).code == "INVALID_STATE"
    assert {each["debit"] for each in _balances(shop)["accounts"]} == {"0.00"}
    refunds = shop.walk(5, f"/ledger/transactions?reference={order['id']}")
    assert [each["reverses"] for each in refunds] == [txn["id"], None]
    assert refunds[1]["reversed_by"] == refunds[0]["id"]
    gift = shop.order({free["id"]: 1}).json["id"]
    assert shop.pay(gift).json["transaction_id"] is None
    assert shop.move(gift, "refund").status == 200


def test_first_payments_at_once_open_the_shops_accounts_once(served: Shop) -> None:
    item = served.add(stock=50)
    orders = [served.order({item["id"]: 1}).json["id"] for _ in range(16)]

    def pay(n: int) -> int:
        while True:
            answer = served.pay(orders[n])
            if answer.code != "CONTENTION":
                return answer.status

    assert set(race(16, pay)) == {201}
    assert len(served.walk(10, "/ledger/accounts?")) == 2
    assert {each["debit"] for each in _balances(served)["accounts"]} == {"207.84", "0.00"}


@pytest.mark.parametrize("stripes", [1, 4])
def test_the_bank_keeps_every_acknowledged_transfer_once(shop: Shop, impatient: None, stripes: int) -> None:
    """Transfer n moves 2 to the n: the balances say, bit by bit, which transfers are in, and how often."""
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
    trial = _balances(shop)
    assert len(trial["accounts"]) == 5


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
    for n in range(1000):
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
    """What the ledger says of an instant is what adding up the entries until then says."""
    found = ledger(shop.tenant).balance(account_id, instant)
    before = [line for line in lines[account_id] if datetime.fromisoformat(line["posted_at"]) <= instant]
    assert found.entries == len(before)
    normal = ledger(shop.tenant).account(account_id).normal
    total = sum(
        round(float(line["amount"]["amount"]) * 100) * (1 if line["direction"] == normal else -1) for line in before
    )
    assert found.balance.minor == total


def _sum_of_entries(lines: dict[str, list[dict[str, Any]]], instant: datetime) -> int:
    """Debits less credits of all entries until an instant."""
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
    monkeypatch.setattr("handlers.http.route.now", lambda: now() + timedelta(seconds=40))
    assert shop.get(f"{path}?as_of={later}").json["final"] is True
    assert _balances(shop, later)["final"] is True


def test_what_is_final_stays_though_an_account_gets_another_stripe(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The new stripe's entries begin at any time, before the last one of the first stripe too."""
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


def test_a_posting_that_takes_too_long_is_not_committed_at_its_time(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is final rests on it: whoever waited for seconds does not post at the instant at which it began to wait."""
    bank, capital = account(shop), account(shop, "equity")
    monkeypatch.setattr("repositories.dynamodb.transaction.pause_before", lambda _: 1.0 + COMMIT_SECONDS)
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


@pytest.mark.parametrize("decided_at", ["Query", "TransactWriteItems"])
def test_a_reversal_that_another_forestalls_says_so(shop: Shop, rival: Shop, decided_at: str) -> None:
    """And not that there are no funds, which is what the other's entries make of it."""
    bank, capital = account(shop, floor="0"), account(shop, "equity")
    path = f"/ledger/transactions/{transfer(shop, bank, capital, 5).json['id']}/reverse"
    with interleaved(lambda: rival.post(path, None), before=decided_at):
        late = shop.post(path, None, key="k")
    assert (late.status, late.code) == (409, "ALREADY_REVERSED")
    assert balance(shop, bank) == "0.00"


def test_a_reversal_for_which_there_are_no_funds_points_at_no_body(shop: Shop) -> None:
    bank, capital, other = account(shop, floor="0"), account(shop, "equity"), account(shop, "expense")
    path = f"/ledger/transactions/{transfer(shop, bank, capital, 5).json['id']}/reverse"
    transfer(shop, other, bank, 1)
    refused = shop.post(path, None, key="k")
    assert (refused.status, refused.code, refused.pointers) == (409, "INSUFFICIENT_FUNDS", [])


def test_a_reversal_on_a_closed_account_is_refused_as_a_state(shop: Shop, rival: Shop) -> None:
    bank, capital = account(shop), account(shop, "equity")
    path = f"/ledger/transactions/{transfer(shop, bank, capital, 5).json['id']}/reverse"
    transfer(shop, capital, bank, 5)

    def close(who: Shop) -> None:
        assert who.post(f"/ledger/accounts/{bank}/close", None).status == 200

    with interleaved(lambda: close(rival), before="Query"):
        refused = shop.post(path, None, key="k")
    assert (refused.status, refused.code, refused.pointers) == (409, "INVALID_STATE", [])


def test_a_reversal_that_another_forestalls_before_the_account_is_closed_says_so(shop: Shop, rival: Shop) -> None:
    bank, capital = account(shop), account(shop, "equity")
    path = f"/ledger/transactions/{transfer(shop, bank, capital, 5).json['id']}/reverse"

    def meanwhile() -> None:
        assert rival.post(path, None).status == 201
        assert rival.post(f"/ledger/accounts/{bank}/close", None).status == 200

    with interleaved(meanwhile, before="Query"):
        assert shop.post(path, None, key="k").code == "ALREADY_REVERSED"


def test_what_posts_an_orders_refund_cannot_be_reversed_by_hand(shop: Shop) -> None:
    order = shop.order({shop.add(stock=1)["id"]: 1}).json["id"]
    payment = shop.pay(order).json["transaction_id"]
    shop.move(order, "refund")
    refund = shop.get(f"/ledger/transactions/{payment}").json["reversed_by"]
    for transaction in (payment, refund):
        refused = shop.post(f"/ledger/transactions/{transaction}/reverse", None)
        assert refused.code in {"INVALID_STATE", "ALREADY_REVERSED"}, transaction
    assert refused.code == "INVALID_STATE"


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
    """Of stripes that are read one after the other while others post to both."""
    bank, capital = account(shop), account(shop, "equity")
    shop.post(f"/ledger/accounts/{bank}/stripes", {"count": 2})
    book, stripes = ledger(shop.tenant), iter([0, 1])
    picked = SimpleNamespace(randrange=lambda count: next(stripes) if count == 2 else 0)
    monkeypatch.setattr("repositories.ledger.chains.chance", lambda: picked)

    def meanwhile() -> None:
        # Into the stripe that has been read already, and then out of the other.
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
    monkeypatch.setattr("repositories.dynamodb.session.pause_before", lambda _: 0.0)
    seen = iter(range(1000))
    real = Chains.all

    def always_another(self: Chains, account_id: str) -> list[Tail]:
        first, *others = real(self, account_id)
        return [replace(first, sequence=next(seen)), *others]

    monkeypatch.setattr(Chains, "all", always_another)
    path = f"/ledger/accounts/{bank}/balance"
    assert shop.get(f"{path}?as_of={to_rfc3339(now())}").code == "CONTENTION"
    monkeypatch.setattr("handlers.http.route.now", lambda: now() + timedelta(seconds=40))
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
    monkeypatch.setattr("local.invocation.TIMEOUT_SECONDS", 1)
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


def test_a_floor_of_nothing_has_no_sign(shop: Shop) -> None:
    bank = account(shop, floor="-0.00")
    assert shop.get(f"/ledger/accounts/{bank}").json["floor"] == "0.00"


def test_a_reversals_location_is_where_the_reversal_is(shop: Shop) -> None:
    bank, capital = account(shop), account(shop, "equity")
    first = transfer(shop, bank, capital, 5).json["id"]
    reversal = shop.post(f"/ledger/transactions/{first}/reverse", None)
    assert shop.get(reversal.headers["location"].removeprefix("/v1")).json == reversal.json


def test_a_trial_balance_is_of_one_moment_though_a_posting_comes_between(shop: Shop, rival: Shop) -> None:
    accounts = [account(shop) for _ in range(4)]
    transfer(shop, accounts[0], accounts[1], 5)
    for number in (2, 3, 5, 8):
        with interleaved(lambda: transfer(rival, accounts[0], accounts[3], 7), before="Query", number=number):
            _balances(shop, to_rfc3339(now() + timedelta(seconds=1)))


@pytest.mark.parametrize("bursty", [False, True])
@pytest.mark.parametrize(("length", "most"), [(1_000, 14), (10_000, 20)])
def test_an_instant_is_found_in_a_handful_of_reads(shop: Shop, length: int, most: int, bursty: bool) -> None:
    """Rows are made directly: entry n at the nth tick, or all but a few in two bursts."""
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
