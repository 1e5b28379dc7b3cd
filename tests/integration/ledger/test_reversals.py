"""Tests of reversals and of the transactions that orders post."""

import pytest

from tests.books import account, balance, transfer
from tests.faults import interleaved
from tests.integration.ledger.common import balances
from tests.shop import Shop, race


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


def test_an_order_is_posted_with_its_payment_and_taken_back_with_its_refund(shop: Shop) -> None:
    item = shop.add(stock=5)
    order = shop.order({item["id"]: 2}).json
    free = shop.add(price={"amount": "0", "currency": "EUR"})
    payment = shop.pay(order["id"]).json
    txn = shop.get(f"/ledger/transactions/{payment['transaction_id']}").json
    assert txn["reference"] == order["id"]
    trial = balances(shop)
    columns = {each["code"]: (each["debit"], each["credit"]) for each in trial["accounts"]}
    assert columns == {"shop.cash.EUR": ("25.98", "0.00"), "shop.sales.EUR": ("0.00", "25.98")}
    assert shop.post(f"/ledger/transactions/{txn['id']}/reverse", None).code == "INVALID_STATE"
    assert shop.move(order["id"], "refund").status == 200
    for each in trial["accounts"]:
        assert shop.post(f"/ledger/accounts/{each['account_id']}/close", None).code == "INVALID_STATE"
    assert {each["debit"] for each in balances(shop)["accounts"]} == {"0.00"}
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
    assert {each["debit"] for each in balances(served)["accounts"]} == {"207.84", "0.00"}


@pytest.mark.parametrize("decided_at", ["Query", "TransactWriteItems"])
def test_a_reversal_that_another_forestalls_says_so(shop: Shop, rival: Shop, decided_at: str) -> None:
    """Not INSUFFICIENT_FUNDS, although the other reversal's entries have used up the funds."""
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


def test_a_reversals_location_is_where_the_reversal_is(shop: Shop) -> None:
    bank, capital = account(shop), account(shop, "equity")
    first = transfer(shop, bank, capital, 5).json["id"]
    reversal = shop.post(f"/ledger/transactions/{first}/reverse", None)
    assert shop.get(reversal.headers["location"].removeprefix("/v1")).json == reversal.json
