"""Tests of how the amounts of an order are posted, and of the status axes."""

from typing import Any

import pytest

from repositories.aws.clients import dynamodb
from tests.integration.orders.taxed import ADDRESS, Open, eur
from tests.shop import Answer, Shop


def _balances(shop: Shop) -> dict[str, str]:
    shown = shop.get("/ledger/trial-balance").json["accounts"]
    of_shop = {each["code"].split(".")[1]: (each["debit"], each["credit"]) for each in shown}
    return {part: f"+{debit}" if float(debit) else f"-{credit}" for part, (debit, credit) in of_shop.items()}


@pytest.mark.parametrize("included", [False, True])
def test_an_order_is_posted_by_kind_net_of_tax_and_taken_back(open_shop: Open, included: bool) -> None:
    shop = open_shop(included=included)
    item = shop.add(price=eur("12"), stock=9)
    charges = [{"kind": "fee", "label": "Gift wrapping", "amount": eur("6")}]
    address: Any = {"shipping_option": "parcel", "shipping_address": ADDRESS}
    order = shop.order({item["id"]: 1}, charges=charges, **address).json
    assert shop.pay(order["id"]).status == 201
    expected = (
        {"cash": "+22.90", "sales": "-10.00", "shipping": "-4.08", "fees": "-5.00", "tax": "-3.82"}
        if included
        else {"cash": "+27.48", "sales": "-12.00", "shipping": "-4.90", "fees": "-6.00", "tax": "-4.58"}
    )
    assert _balances(shop) == expected
    refunded = shop.move(order["id"], "refund").json
    assert (refunded["status"], refunded["refunded_total"]) == ("refunded", order["total"])
    assert set(_balances(shop).values()) <= {"+0.00", "-0.00"}


def test_the_axes_follow_the_status(shop: Shop) -> None:
    item = shop.add(stock=9)
    order = shop.order({item["id"]: 2}).json
    seen = [order]
    shop.pay(order["id"])
    seen += [shop.get(f"/orders/{order['id']}").json]
    seen += [shop.move(order["id"], move).json for move in ("ship", "deliver")]
    assert [(each["payment_status"], each["fulfillment_status"]) for each in seen] == [
        ("unpaid", "unfulfilled"),
        ("paid", "unfulfilled"),
        ("paid", "shipped"),
        ("paid", "delivered"),
    ]
    assert [each["lines"][0]["shipped"] for each in seen] == [0, 0, 2, 2]
    assert shop.get(f"/orders/{order['id']}").json == seen[-1]


def test_an_order_of_ninety_items_with_all_kinds_is_paid_and_refunded_in_one_transaction_each(
    open_shop: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = open_shop()
    items = [shop.add(stock=2)["id"] for _ in range(90)]
    charges = [{"kind": "fee", "label": "Gift wrapping", "amount": eur("6")}]
    order = shop.order(dict.fromkeys(items, 1), charges=charges, shipping_option="parcel").json
    assert shop.pay(order["id"]).status == 201
    sizes: list[int] = []
    events = dynamodb().meta.events
    events.register(
        "before-send.dynamodb", lambda request, **_: sizes.append(request.body.count(b'"ClientRequestToken"')), "sent"
    )
    refunded: Answer = shop.move(order["id"], "refund")
    events.unregister("before-send.dynamodb", unique_id="sent")
    assert refunded.status == 200, refunded.body
    assert sum(sizes) == 1
    assert set(_balances(shop).values()) <= {"+0.00", "-0.00"}
