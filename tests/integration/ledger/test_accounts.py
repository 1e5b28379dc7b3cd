"""Tests of ledger accounts: opening, stripes, floors, closing."""

from collections import Counter
from typing import Any

from tests.books import account, balance, entry, post, transfer
from tests.faults import interleaved
from tests.integration.ledger.common import balances
from tests.shop import Shop, race


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
    balances(shop)


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


def test_a_floor_of_nothing_has_no_sign(shop: Shop) -> None:
    bank = account(shop, floor="-0.00")
    assert shop.get(f"/ledger/accounts/{bank}").json["floor"] == "0.00"
