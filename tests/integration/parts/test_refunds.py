"""Tests of refunds in parts: money, units, stock and books."""

from typing import Any

import pytest

from tests.integration.orders.common import brought_to
from tests.integration.orders.taxed import ADDRESS, Open, eur
from tests.integration.parts.refunding import balances, paid_order, refund_of, units_of
from tests.shop import Shop


def test_a_line_is_refunded_before_it_is_shipped(shop: Shop) -> None:
    item, order = paid_order(shop)
    made = refund_of(shop, order, lines=units_of(item, 2), shipping=True, reason="changed their mind")
    assert (made.status, made.headers["location"]) == (201, f"/v1/orders/{order}/refunds")
    refund = made.json
    assert refund["id"].startswith("refund_")
    assert refund["transaction_id"].startswith("txn_")
    assert refund["lines"] == units_of(item, 2, restock=False)
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
    assert balances(shop) == {"cash": 10, "sales": -10}
    assert shop.get(f"/orders/{order}/payments").json["items"][0]["status"] == "partially_refunded"
    assert shop.get(f"/orders/{order}/refunds").json == {"items": [refund], "next_cursor": None}
    transaction = shop.get(f"/ledger/transactions/{refund['transaction_id']}").json
    assert (transaction["reference"], transaction["reverses"]) == (order, None)
    shipped = shop.move(order, "ship").json
    assert [each["lines"] for each in shipped["shipments"]] == [units_of(item, 1)]
    assert shop.stock(item) == (9, 0, 9)
    rest = shop.move(order, "refund").json
    assert (rest["status"], rest["payment_status"], rest["fulfillment_status"]) == ("refunded", "refunded", "shipped")
    assert [each["amount"] for each in rest["refunds"]] == [eur("20.00"), eur("10.00")]
    assert balances(shop) == {}
    assert shop.stock(item) == (9, 0, 9)


def test_what_comes_back_returns_to_the_stock_if_asked(shop: Shop) -> None:
    item, order = paid_order(shop)
    brought_to_delivered = [shop.move(order, move).status for move in ("ship", "deliver")]
    assert brought_to_delivered == [200, 200]
    assert refund_of(shop, order, lines=units_of(item, 1, restock=True)).status == 201
    assert shop.stock(item) == (8, 0, 8)
    assert refund_of(shop, order, lines=units_of(item, 1)).status == 201
    assert shop.stock(item) == (8, 0, 8)
    shown = shop.get(f"/orders/{order}").json
    assert (shown["status"], shown["fulfillment_status"]) == ("delivered", "delivered")
    assert (shown["lines"][0]["shipped"], shown["lines"][0]["returned"]) == (3, 2)
    assert refund_of(shop, order, lines=units_of(item, 1, restock=True)).status == 201
    shown = shop.get(f"/orders/{order}").json
    assert (shown["status"], shown["fulfillment_status"]) == ("refunded", "delivered")
    assert shop.stock(item) == (9, 0, 9)
    assert shop.adjust(item, 1).json["stock"]["on_hand"] == 10


@pytest.mark.parametrize("first", [True, False])
def test_units_to_restock_are_the_shipped_ones_whatever_the_order_of_lines(shop: Shop, first: bool) -> None:
    item, order = paid_order(shop, units=4)
    shop.post(f"/orders/{order}/shipments", {"lines": units_of(item, 2)})
    lines = [*units_of(item, 2, restock=first), *units_of(item, 2, restock=not first)]
    assert refund_of(shop, order, lines=lines).status == 201
    assert shop.stock(item) == (10, 0, 10)


def test_cheap_units_are_refunded_by_their_share(shop: Shop) -> None:
    item = shop.add(price=eur("0.01"), stock=1000)["id"]
    shop.post("/discounts", {"code": "CENT", "amount": eur("0.01")})
    order = shop.order({item: 1000}, discount_code="CENT").json["id"]
    shop.pay(order)
    assert refund_of(shop, order, lines=units_of(item, 999)).json["amount"] == eur("9.98")
    assert refund_of(shop, order, lines=units_of(item, 1)).json["amount"] == eur("0.01")


def test_units_that_were_not_shipped_are_refunded_first(shop: Shop) -> None:
    item, order = paid_order(shop)
    shop.post(f"/orders/{order}/shipments", {"lines": units_of(item, 2)})
    assert refund_of(shop, order, lines=units_of(item, 2, restock=True)).status == 201
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
    item, order = paid_order(shop, "3.33", 7, charges=charges, **address)
    whole = balances(shop)
    total = float(shop.get(f"/orders/{order}").json["total"]["amount"])
    amounts = [float(refund_of(shop, order, lines=units_of(item, 1)).json["amount"]["amount"]) for n in range(7)]
    line = shop.get(f"/orders/{order}").json["lines"][0]
    paid = float(line["total"]["amount"]) - float(line["discount"]["amount"])
    paid += 0 if included else float(line["tax"]["amount"])
    assert max(amounts) - min(amounts) < 0.011
    assert round(sum(amounts), 2) == round(paid, 2)
    shipping = float(refund_of(shop, order, shipping=True).json["amount"]["amount"])
    again = refund_of(shop, order, shipping=True)
    assert (again.status, again.code, again.pointers) == (409, "REFUND_TOO_LARGE", ["/shipping"])
    left = balances(shop)
    assert set(left) == {"cash", "fees", "tax"}
    assert left["fees"] == whole["fees"]
    assert shop.get(f"/orders/{order}").json["status"] == "paid"
    rest = shop.move(order, "refund").json
    assert rest["refunded_total"] == rest["total"]
    assert round(sum(amounts) + shipping + float(rest["refunds"][-1]["amount"]["amount"]), 2) == total
    assert balances(shop) == {}


def test_shipping_is_refunded_once(open_shop: Open) -> None:
    shop = open_shop(rates=[])
    _, order = paid_order(shop, shipping_option="parcel")
    assert refund_of(shop, order, shipping=True).json["amount"] == eur("4.90")
    again = refund_of(shop, order, shipping=True)
    assert (again.status, again.code, again.pointers) == (409, "REFUND_TOO_LARGE", ["/shipping"])
    rest = shop.move(order, "refund").json["refunds"]
    assert [each["shipping"] for each in rest] == [True, False]


def test_more_than_is_left_is_not_refunded(shop: Shop) -> None:
    item, order = paid_order(shop)
    before = shop.get(f"/orders/{order}").json
    for fields, pointer in (
        ({"lines": units_of(item, 4)}, "/lines/0/quantity"),
        ({"lines": [*units_of(item, 2), *units_of(item, 2, restock=True)]}, "/lines/1/quantity"),
        ({"shipping": True}, "/shipping"),
        ({"lines": units_of("item_01JD3ZK8Q4M5X6Y7Z8A9B0C1D2", 1)}, "/lines/0/quantity"),
        ({"amount": eur("30.01")}, "/amount"),
    ):
        refused = refund_of(shop, order, **fields)
        assert (refused.status, refused.code, refused.pointers) == (409, "REFUND_TOO_LARGE", [pointer])
    for wrong, pointer in (
        ({}, ""),
        ({"shipping": False}, ""),
        ({"lines": []}, "/lines"),
        ({"lines": units_of(item, 1), "amount": eur("1")}, ""),
        ({"shipping": True, "amount": eur("1")}, ""),
        ({"amount": eur("0")}, "/amount"),
        ({"amount": {"amount": "1", "currency": "USD"}}, "/amount/currency"),
        ({"lines": units_of(item, 0)}, "/lines/0/quantity"),
        ({"lines": units_of(item, 1, restock="yes")}, "/lines/0/restock"),
    ):
        refused = refund_of(shop, order, **wrong)
        assert (refused.status, refused.pointers) == (400, [pointer]), wrong
    assert shop.post(f"/orders/{order}/refunds", {"shipping": True}).code == "IDEMPOTENCY_KEY_REQUIRED"
    assert shop.get(f"/orders/{order}").json == before
    assert refund_of(shop, order, amount=eur("25")).status == 201
    short = refund_of(shop, order, lines=units_of(item, 1))
    assert (short.code, short.pointers) == ("REFUND_TOO_LARGE", ["/lines"])
    assert refund_of(shop, order, amount=eur("5")).status == 201
    shown = shop.get(f"/orders/{order}").json
    assert (shown["status"], shown["lines"][0]["returned"], shown["refunds"][-1]["lines"]) == (
        "refunded",
        3,
        units_of(item, 3, restock=False),
    )
    assert shop.stock(item) == (10, 0, 10)
    for fields in ({"amount": eur("0.01")}, {"lines": units_of(item, 1)}, {"shipping": True}):
        assert refund_of(shop, order, **fields).code == "REFUND_TOO_LARGE"
    assert shop.move(order, "refund").code == "INVALID_STATE"


def test_an_amount_is_spread_over_what_was_paid_for(open_shop: Open) -> None:
    shop = open_shop()
    item, order = paid_order(shop, "8", 1, shipping_option="parcel", shipping_address=ADDRESS)
    assert balances(shop) == {"cash": 15.48, "sales": -8, "shipping": -4.9, "tax": -2.58}
    assert refund_of(shop, order, amount=eur("7.74")).status == 201
    assert balances(shop) == {"cash": 7.74, "sales": -4, "shipping": -2.45, "tax": -1.29}
    too_large = refund_of(shop, order, lines=units_of(item, 1))
    assert (too_large.code, too_large.json["errors"][0]["detail"]) == ("REFUND_TOO_LARGE", "7.74 EUR is left.")
    assert refund_of(shop, order, shipping=True).json["amount"] == eur("5.88")
    # Of shipping, only 2.45 were left: the rest is taken from the others.
    left = balances(shop)
    assert left["cash"] == 1.86
    assert "shipping" not in left
    shop.move(order, "refund")
    assert balances(shop) == {}


def test_only_paid_orders_are_refunded_and_by_staff_only(shop: Shop) -> None:
    jane, joe = shop.acting_as("customer"), shop.acting_as("customer")
    item = shop.add(price=eur("10"), stock=50)["id"]
    for status in ("pending", "cancelled"):
        order = jane.order({item: 1}).json["id"]
        brought_to(status, shop, order)
        assert refund_of(shop, order, lines=units_of(item, 1)).code == "INVALID_STATE"
        assert shop.move(order, "refund").code == "INVALID_STATE"
    for status in ("paid", "shipped", "delivered"):
        order = jane.order({item: 2}).json["id"]
        brought_to(status, shop, order)
        assert refund_of(jane, order, lines=units_of(item, 1)).code == "FORBIDDEN"
        made = refund_of(shop.acting_as("staff"), order, lines=units_of(item, 1)).json
        assert jane.get(f"/orders/{order}/refunds").json["items"] == [made]
        assert joe.get(f"/orders/{order}/refunds").code == "NOT_FOUND"
        assert shop.move(order, "refund").json["status"] == "refunded"


def test_a_free_order_is_refunded_once_all_units_are(shop: Shop) -> None:
    item, order = paid_order(shop, "0", 2)
    first = refund_of(shop, order, lines=units_of(item, 1)).json
    assert (first["amount"], first["transaction_id"]) == (eur("0.00"), None)
    assert shop.get(f"/orders/{order}").json["status"] == "paid"
    assert refund_of(shop, order, lines=units_of(item, 1)).status == 201
    assert shop.get(f"/orders/{order}").json["status"] == "refunded"
    assert shop.stock(item) == (10, 0, 10)


def test_a_refund_of_all_at_once_reverses_the_payment(shop: Shop) -> None:
    item, order = paid_order(shop)
    payment = shop.get(f"/orders/{order}/payments").json["items"][0]
    refund = refund_of(shop, order, lines=units_of(item, 3)).json
    assert shop.get(f"/orders/{order}").json["status"] == "refunded"
    transaction = shop.get(f"/ledger/transactions/{payment['transaction_id']}").json
    assert transaction["reversed_by"] == refund["transaction_id"]


def test_uncounted_units_are_refunded(shop: Shop) -> None:
    item = shop.add(price=eur("10"))["id"]
    order = shop.order({item: 3}).json["id"]
    shop.pay(order)
    shop.post(f"/orders/{order}/shipments", {"lines": units_of(item, 1)})
    assert refund_of(shop, order, lines=units_of(item, 3, restock=True)).status == 201
    shown = shop.get(f"/orders/{order}").json
    assert (shown["status"], shown["lines"][0]["shipped"], shown["lines"][0]["returned"]) == ("refunded", 1, 3)
    assert shop.item(item)["stock"] is None
