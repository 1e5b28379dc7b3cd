"""Tests of refunds in parts: money, units, stock and books."""

from collections import Counter
from typing import Any
from uuid import uuid4

import pytest

from tests.integration.orders.common import brought_to
from tests.integration.orders.taxed import ADDRESS, Open, eur
from tests.shop import Answer, Shop, race


def _refund(shop: Shop, order: str, key: str = "", **fields: Any) -> Answer:
    return shop.post(f"/orders/{order}/refunds", fields, key or uuid4().hex)


def _paid(shop: Shop, price: str = "10", units: int = 3, **fields: Any) -> tuple[str, str]:
    item = shop.add(price=eur(price), stock=10)["id"]
    order = shop.order({item: units}, **fields).json["id"]
    assert shop.pay(order).status == 201
    return item, order


def _of(item: str, quantity: int, **fields: Any) -> list[dict[str, Any]]:
    return [{"item_id": item, "quantity": quantity} | fields]


def _balances(shop: Shop) -> dict[str, float]:
    accounts = shop.get("/ledger/trial-balance").json["accounts"]
    sums = {each["code"].split(".")[1]: float(each["debit"]) - float(each["credit"]) for each in accounts}
    return {part: round(balance, 2) for part, balance in sums.items() if balance}


def test_a_line_is_refunded_before_it_is_shipped(shop: Shop) -> None:
    item, order = _paid(shop)
    made = _refund(shop, order, lines=_of(item, 2), reason="changed their mind")
    assert (made.status, made.headers["location"]) == (201, f"/v1/orders/{order}/refunds")
    refund = made.json
    assert refund["id"].startswith("refund_")
    assert refund["transaction_id"].startswith("txn_")
    assert refund["lines"] == _of(item, 2, restock=False)
    assert (refund["order_id"], refund["amount"], refund["reason"], refund["status"], refund["shipping"]) == (
        order,
        eur("20.00"),
        "changed their mind",
        "succeeded",
        False,
    )
    shown = shop.get(f"/orders/{order}").json
    assert (shown["status"], shown["payment_status"], shown["fulfillment_status"]) == (
        "paid",
        "partially_refunded",
        "unfulfilled",
    )
    assert (shown["refunded_total"], shown["refunds"]) == (eur("20.00"), [refund])
    assert (shown["lines"][0]["returned"], shown["lines"][0]["shipped"]) == (2, 0)
    [listed] = shop.get("/orders").json["items"]
    assert (listed["payment_status"], listed["refunded_total"]) == ("partially_refunded", eur("20.00"))
    assert shop.stock(item) == (10, 1, 9)
    assert _balances(shop) == {"cash": 10, "sales": -10}
    assert shop.get(f"/orders/{order}/payments").json["items"][0]["status"] == "partially_refunded"
    assert shop.get(f"/orders/{order}/refunds").json == {"items": [refund], "next_cursor": None}
    transaction = shop.get(f"/ledger/transactions/{refund['transaction_id']}").json
    assert (transaction["reference"], transaction["reverses"]) == (order, None)
    shipped = shop.move(order, "ship").json
    assert [each["lines"] for each in shipped["shipments"]] == [_of(item, 1)]
    assert shop.stock(item) == (9, 0, 9)
    rest = shop.move(order, "refund").json
    assert (rest["status"], rest["payment_status"], rest["fulfillment_status"]) == ("refunded", "refunded", "shipped")
    assert [each["amount"] for each in rest["refunds"]] == [eur("20.00"), eur("10.00")]
    assert _balances(shop) == {}
    assert shop.stock(item) == (9, 0, 9)


def test_what_comes_back_returns_to_the_stock_if_asked(shop: Shop) -> None:
    item, order = _paid(shop)
    brought_to_delivered = [shop.move(order, move).status for move in ("ship", "deliver")]
    assert brought_to_delivered == [200, 200]
    assert _refund(shop, order, lines=_of(item, 1, restock=True)).status == 201
    assert shop.stock(item) == (8, 0, 8)
    assert _refund(shop, order, lines=_of(item, 1)).status == 201
    assert shop.stock(item) == (8, 0, 8)
    shown = shop.get(f"/orders/{order}").json
    assert (shown["status"], shown["fulfillment_status"]) == ("delivered", "delivered")
    assert (shown["lines"][0]["shipped"], shown["lines"][0]["returned"]) == (3, 2)
    assert _refund(shop, order, lines=_of(item, 1, restock=True)).status == 201
    shown = shop.get(f"/orders/{order}").json
    assert (shown["status"], shown["fulfillment_status"]) == ("refunded", "delivered")
    assert shop.stock(item) == (9, 0, 9)
    assert shop.adjust(item, 1).json["stock"]["on_hand"] == 10


def test_units_that_were_not_shipped_are_refunded_first(shop: Shop) -> None:
    item, order = _paid(shop)
    shop.post(f"/orders/{order}/shipments", {"lines": _of(item, 2)})
    assert _refund(shop, order, lines=_of(item, 2, restock=True)).status == 201
    assert shop.stock(item) == (9, 0, 9)
    shown = shop.get(f"/orders/{order}").json
    assert (shown["status"], shown["fulfillment_status"], shown["payment_status"]) == (
        "shipped",
        "shipped",
        "partially_refunded",
    )
    assert [step["status"] for step in shown["history"]] == ["pending", "paid", "shipped"]


@pytest.mark.parametrize("included", [False, True])
def test_parts_sum_to_what_was_paid_after_discount_and_with_tax(open_shop: Open, included: bool) -> None:
    shop = open_shop(included=included)
    charges = [
        {"kind": "fee", "label": "Gift wrapping", "amount": eur("2.50")},
        {"kind": "discount", "label": "Loyalty", "amount": eur("1.01")},
    ]
    address: Any = {"shipping_option": "parcel", "shipping_address": ADDRESS}
    item, order = _paid(shop, "3.33", 7, charges=charges, **address)
    whole = _balances(shop)
    total = float(shop.get(f"/orders/{order}").json["total"]["amount"])
    amounts = [float(_refund(shop, order, lines=_of(item, 1)).json["amount"]["amount"]) for n in range(7)]
    line = shop.get(f"/orders/{order}").json["lines"][0]
    paid = float(line["total"]["amount"]) - float(line["discount"]["amount"])
    paid += 0 if included else float(line["tax"]["amount"])
    assert len(set(amounts[:6])) == 1
    assert amounts[6] >= amounts[0]
    assert round(sum(amounts), 2) == round(paid, 2)
    shipping = float(_refund(shop, order, shipping=True).json["amount"]["amount"])
    again = _refund(shop, order, shipping=True)
    assert (again.status, again.code, again.pointers) == (409, "REFUND_TOO_LARGE", ["/shipping"])
    left = _balances(shop)
    assert set(left) == {"cash", "fees", "tax"}
    assert left["fees"] == whole["fees"]
    assert shop.get(f"/orders/{order}").json["status"] == "paid"
    rest = shop.move(order, "refund").json
    assert rest["refunded_total"] == rest["total"]
    assert round(sum(amounts) + shipping + float(rest["refunds"][-1]["amount"]["amount"]), 2) == total
    assert _balances(shop) == {}


def test_shipping_is_refunded_once(open_shop: Open) -> None:
    shop = open_shop(rates=[])
    _, order = _paid(shop, shipping_option="parcel")
    assert _refund(shop, order, shipping=True).json["amount"] == eur("4.90")
    again = _refund(shop, order, shipping=True)
    assert (again.status, again.code, again.pointers) == (409, "REFUND_TOO_LARGE", ["/shipping"])
    rest = shop.move(order, "refund").json["refunds"]
    assert [each["shipping"] for each in rest] == [True, False]


def test_more_than_is_left_is_not_refunded(shop: Shop) -> None:
    item, order = _paid(shop)
    before = shop.get(f"/orders/{order}").json
    for fields, pointer in (
        ({"lines": _of(item, 4)}, "/lines/0/quantity"),
        ({"lines": [*_of(item, 2), *_of(item, 2)]}, "/lines/0/quantity"),
        ({"lines": _of("item_01JD3ZK8Q4M5X6Y7Z8A9B0C1D2", 1)}, "/lines/0/quantity"),
        ({"amount": eur("30.01")}, "/amount"),
    ):
        refused = _refund(shop, order, **fields)
        assert (refused.status, refused.code, refused.pointers) == (409, "REFUND_TOO_LARGE", [pointer])
    for wrong, pointer in (
        ({}, ""),
        ({"shipping": False}, ""),
        ({"lines": []}, "/lines"),
        ({"lines": _of(item, 1), "amount": eur("1")}, ""),
        ({"shipping": True, "amount": eur("1")}, ""),
        ({"amount": eur("0")}, ""),
        ({"amount": {"amount": "1", "currency": "USD"}}, "/amount/currency"),
        ({"lines": _of(item, 0)}, "/lines/0/quantity"),
        ({"lines": _of(item, 1, restock="yes")}, "/lines/0/restock"),
    ):
        refused = _refund(shop, order, **wrong)
        assert (refused.status, refused.pointers) == (400, [pointer]), wrong
    assert shop.post(f"/orders/{order}/refunds", {"shipping": True}).code == "IDEMPOTENCY_KEY_REQUIRED"
    assert shop.get(f"/orders/{order}").json == before
    assert _refund(shop, order, amount=eur("25")).status == 201
    short = _refund(shop, order, lines=_of(item, 1))
    assert (short.code, short.pointers) == ("REFUND_TOO_LARGE", ["/lines"])
    assert _refund(shop, order, amount=eur("5")).status == 201
    assert shop.get(f"/orders/{order}").json["status"] == "refunded"
    assert shop.stock(item) == (10, 0, 10)
    assert _refund(shop, order, amount=eur("0.01")).code == "REFUND_TOO_LARGE"
    assert shop.move(order, "refund").code == "INVALID_STATE"


def test_an_amount_is_spread_over_what_was_paid_for(open_shop: Open) -> None:
    shop = open_shop()
    item, order = _paid(shop, "8", 1, shipping_option="parcel", shipping_address=ADDRESS)
    assert _balances(shop) == {"cash": 15.48, "sales": -8, "shipping": -4.9, "tax": -2.58}
    assert _refund(shop, order, amount=eur("7.74")).status == 201
    assert _balances(shop) == {"cash": 7.74, "sales": -4, "shipping": -2.45, "tax": -1.29}
    too_large = _refund(shop, order, lines=_of(item, 1))
    assert (too_large.code, too_large.json["errors"][0]["detail"]) == ("REFUND_TOO_LARGE", "7.74 EUR is left.")
    assert _refund(shop, order, shipping=True).json["amount"] == eur("5.88")
    # Of shipping, only 2.45 were left: the rest is taken from the others.
    balances = _balances(shop)
    assert balances["cash"] == 1.86
    assert "shipping" not in balances
    shop.move(order, "refund")
    assert _balances(shop) == {}


def test_only_paid_orders_are_refunded_and_by_staff_only(shop: Shop) -> None:
    jane, joe = shop.acting_as("customer"), shop.acting_as("customer")
    item = shop.add(price=eur("10"), stock=50)["id"]
    for status in ("pending", "cancelled"):
        order = jane.order({item: 1}).json["id"]
        brought_to(status, shop, order)
        assert _refund(shop, order, lines=_of(item, 1)).code == "INVALID_STATE"
        assert shop.move(order, "refund").code == "INVALID_STATE"
    for status in ("paid", "shipped", "delivered"):
        order = jane.order({item: 2}).json["id"]
        brought_to(status, shop, order)
        assert _refund(jane, order, lines=_of(item, 1)).code == "FORBIDDEN"
        made = _refund(shop.acting_as("staff"), order, lines=_of(item, 1)).json
        assert jane.get(f"/orders/{order}/refunds").json["items"] == [made]
        assert joe.get(f"/orders/{order}/refunds").code == "NOT_FOUND"
        assert shop.move(order, "refund").json["status"] == "refunded"


def test_a_free_order_is_refunded_once_all_units_are(shop: Shop) -> None:
    item, order = _paid(shop, "0", 2)
    first = _refund(shop, order, lines=_of(item, 1)).json
    assert (first["amount"], first["transaction_id"]) == (eur("0.00"), None)
    assert shop.get(f"/orders/{order}").json["status"] == "paid"
    assert _refund(shop, order, lines=_of(item, 1)).status == 201
    assert shop.get(f"/orders/{order}").json["status"] == "refunded"
    assert shop.stock(item) == (10, 0, 10)


def test_a_refund_of_all_at_once_reverses_the_payment(shop: Shop) -> None:
    item, order = _paid(shop)
    payment = shop.get(f"/orders/{order}/payments").json["items"][0]
    refund = _refund(shop, order, lines=_of(item, 3)).json
    assert shop.get(f"/orders/{order}").json["status"] == "refunded"
    transaction = shop.get(f"/ledger/transactions/{payment['transaction_id']}").json
    assert transaction["reversed_by"] == refund["transaction_id"]


def test_uncounted_units_are_refunded(shop: Shop) -> None:
    item = shop.add(price=eur("10"))["id"]
    order = shop.order({item: 3}).json["id"]
    shop.pay(order)
    shop.post(f"/orders/{order}/shipments", {"lines": _of(item, 1)})
    assert _refund(shop, order, lines=_of(item, 3, restock=True)).status == 201
    shown = shop.get(f"/orders/{order}").json
    assert (shown["status"], shown["lines"][0]["shipped"], shown["lines"][0]["returned"]) == ("refunded", 1, 3)
    assert shop.item(item)["stock"] is None


def test_the_last_unit_is_refunded_once(served: Shop) -> None:
    shop = served
    item, order = _paid(shop)
    answers = race(8, lambda _: _refund(shop, order, lines=_of(item, 1)))
    codes = Counter(answer.code or "made" for answer in answers)
    assert set(codes) <= {"made", "REFUND_TOO_LARGE", "CONTENTION"}
    assert codes["made"] == 3 or codes["CONTENTION"]
    assert shop.get(f"/orders/{order}").json["refunded_total"] == eur(f"{codes['made'] * 10}.00")
    assert _balances(shop).get("cash", 0) == 30 - codes["made"] * 10
    left = 3 - codes["made"]
    assert shop.stock(item) == (10, left, 10 - left)


def test_a_unit_is_either_shipped_or_freed(served: Shop) -> None:
    for _ in range(4):
        item, order = _paid(served, units=1)

        def act(n: int, order: str = order) -> int:
            answer = served.post(f"/orders/{order}/shipments", None) if n % 2 else served.move(order, "refund")
            return answer.status

        answers = race(4, act)
        assert sorted(answers[::2]) == [200, 409]
        assert sorted(answers[1::2]) in ([201, 409], [409, 409])
        shown = served.get(f"/orders/{order}").json
        assert shown["status"] == "refunded"
        gone = shown["lines"][0]["shipped"]
        assert gone == answers[1::2].count(201)
        assert served.stock(item) == (10 - gone, 0, 10 - gone)
