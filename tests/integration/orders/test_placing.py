"""Tests of placing orders: stock, prices, refusals, budgets."""

from typing import Any
from uuid import uuid4

import pytest

from tests.integration.orders.common import brought_to
from tests.shop import Answer, Shop


def test_an_order_reserves_its_stock_and_shows_what_it_costs(shop: Shop) -> None:
    mug, tray = shop.add(sku="MUG", stock=5), shop.add(name="Tray", price={"amount": "3.5", "currency": "EUR"})
    answer = shop.order({mug["id"]: 2, tray["id"]: 3}, note="Ring twice")
    order = answer.json
    assert (answer.status, answer.etag) == (201, '"1"')
    assert answer.headers["location"] == f"/v1/orders/{order['id']}"
    nothing = {"amount": "0.00", "currency": "EUR"}
    untaxed = {"discount": nothing, "tax_rate": None, "tax": nothing, "shipped": 0, "returned": 0}
    assert order["lines"] == [
        {
            "item_id": mug["id"],
            "booking_id": None,
            "sku": "MUG",
            "name": "Enamel mug",
            "quantity": 2,
            "unit_price": {"amount": "12.99", "currency": "EUR"},
            "total": {"amount": "25.98", "currency": "EUR"},
            **untaxed,
        },
        {
            "item_id": tray["id"],
            "booking_id": None,
            "sku": None,
            "name": "Tray",
            "quantity": 3,
            "unit_price": {"amount": "3.50", "currency": "EUR"},
            "total": {"amount": "10.50", "currency": "EUR"},
            **untaxed,
        },
    ]
    assert (order["status"], order["total"]) == ("pending", {"amount": "36.48", "currency": "EUR"})
    assert (order["customer_id"], order["note"]) == (shop.user, "Ring twice")
    assert [(step["status"], step["by"]) for step in order["history"]] == [("pending", shop.user)]
    assert shop.stock(mug["id"]) == (5, 2, 3)
    read = shop.get(f"/orders/{order['id']}")
    assert (read.json, read.etag) == (order, answer.etag)
    assert shop.get(f"/orders/{order['id']}", If_None_Match=read.etag).status == 304


def test_lines_of_one_item_are_added_up(shop: Shop) -> None:
    item = shop.add(stock=5)
    lines = [{"item_id": item["id"], "quantity": 2}, {"item_id": item["id"], "quantity": 3}]
    order = shop.post("/orders", {"lines": lines}, key="k").json
    assert [line["quantity"] for line in order["lines"]] == [5]
    assert shop.stock(item["id"]) == (5, 5, 0)
    again = shop.post("/orders", {"lines": lines}, key="k2")
    assert (again.code, again.pointers) == ("OUT_OF_STOCK", ["/lines/0/quantity", "/lines/1/quantity"])


def test_what_is_created_is_where_its_location_says(shop: Shop) -> None:
    order = shop.order({shop.add(stock=1)["id"]: 1})
    for created in (order, shop.pay(order.json["id"])):
        assert created.status == 201
        assert shop.get(created.headers["location"].removeprefix("/v1")).status == 200


def _lines(*lines: Any) -> dict[str, Any]:
    return {"lines": list(lines)}


def test_what_cannot_be_ordered_is_told_line_by_line(shop: Shop) -> None:
    good, short, gone, yen = (
        shop.add(stock=5),
        shop.add(stock=1),
        shop.add(stock=5),
        shop.add(stock=5, price={"amount": "100", "currency": "JPY"}),
    )
    shop.delete(f"/items/{gone['id']}", "*")
    ok = {"item_id": good["id"], "quantity": 1}
    absent = {"item_id": "item_01JD3ZK8Q4M5X6Y7Z8A9B0C1D9", "quantity": 1}
    dear = ok | {"unit_price": {"amount": "12.98", "currency": "EUR"}}
    cases: list[tuple[dict[str, Any], int, str, list[str]]] = [
        (_lines(ok, absent), 404, "NOT_FOUND", ["/lines/1/item_id"]),
        (_lines({"item_id": "nonsense", "quantity": 1}), 404, "NOT_FOUND", ["/lines/0/item_id"]),
        (_lines(ok, {"item_id": gone["id"], "quantity": 1}), 409, "ITEM_ARCHIVED", ["/lines/1/item_id"]),
        (_lines(dear, ok), 409, "PRICE_CHANGED", ["/lines/0/unit_price"]),
        (_lines(ok, {"item_id": short["id"], "quantity": 2}), 409, "OUT_OF_STOCK", ["/lines/1/quantity"]),
        (_lines(), 400, "VALIDATION_ERROR", ["/lines"]),
        (_lines(ok | {"quantity": 0}), 400, "VALIDATION_ERROR", ["/lines/0/quantity"]),
        (_lines(ok | {"quantity": -1}), 400, "VALIDATION_ERROR", ["/lines/0/quantity"]),
        (_lines(ok | {"quantity": 1.5}), 400, "VALIDATION_ERROR", ["/lines/0/quantity"]),
        (_lines(ok | {"quantity": True}), 400, "VALIDATION_ERROR", ["/lines/0/quantity"]),
        (_lines(ok) | {"customer_id": "me"}, 400, "VALIDATION_ERROR", ["/customer_id"]),
        (_lines(ok) | {"colour": "red"}, 400, "VALIDATION_ERROR", ["/colour"]),
        (_lines(*({"item_id": f"item_{n}", "quantity": 1} for n in range(91))), 400, "VALIDATION_ERROR", ["/lines"]),
    ]  # fmt: skip
    for body, status, code, pointers in cases:
        answer = shop.post("/orders", body, key=uuid4().hex)
        assert (answer.status, answer.code, answer.pointers) == (status, code, pointers)
        assert answer.writes <= 1  # the record of the refusal
    mixed = shop.post("/orders", _lines(ok, {"item_id": yen["id"], "quantity": 1}), key="k")
    assert (mixed.code, len(mixed.pointers)) == ("VALIDATION_ERROR", 1)
    assert shop.stock(good["id"]) == (5, 0, 5)
    assert shop.walk(50, "/orders?") == []
    fair = ok | {"unit_price": {"amount": "12.99", "currency": "EUR"}}
    assert shop.post("/orders", _lines(fair), key="k3").status == 201


def test_a_total_that_no_amount_can_say_is_refused(shop: Shop) -> None:
    dear = shop.add(price={"amount": "999999999999.99", "currency": "EUR"})
    assert shop.order({dear["id"]: 1}).status == 201
    answer = shop.order({dear["id"]: 2})
    assert (answer.code, answer.pointers) == ("VALIDATION_ERROR", ["/lines"])


def test_refusals_are_remembered_like_successes(shop: Shop) -> None:
    item = shop.add(stock=0)
    refused = shop.order({item["id"]: 1}, key="k")
    assert refused.code == "OUT_OF_STOCK"
    shop.adjust(item["id"], 5)
    again = shop.order({item["id"]: 1}, key="k")
    assert (again.body, again.headers["idempotent-replayed"]) == (refused.body, "true")
    assert shop.order({item["id"]: 1}, key="k2").status == 201
    assert shop.order({item["id"]: 2}, key="k2").code == "IDEMPOTENCY_KEY_REUSED"
    assert shop.post("/orders", _lines({"item_id": item["id"], "quantity": 1})).code == "IDEMPOTENCY_KEY_REQUIRED"


def test_an_order_keeps_the_price_at_which_it_was_placed(shop: Shop) -> None:
    item = shop.add(stock=5)
    order = shop.order({item["id"]: 1}).json
    shop.patch(f"/items/{item['id']}", {"price": {"amount": "99"}, "name": "Gold mug"}, "*")
    assert shop.get(f"/orders/{order['id']}").json == order
    assert shop.order({item["id"]: 1}).json["lines"][0]["name"] == "Gold mug"


def test_ninety_items_fit_an_order(shop: Shop) -> None:
    rows = [{"name": f"Item {n}", "price": {"amount": "1", "currency": "EUR"}, "stock": 2} for n in range(90)]
    results = shop.post("/items/batch", {"items": rows}, key="k").json["results"]
    ids = [row["item"]["id"] for row in results]
    order = shop.order(dict.fromkeys(ids, 1)).json
    assert order["total"]["amount"] == "90.00"
    brought_to("shipped", shop, order["id"])
    assert {shop.stock(item_id) for item_id in ids[::30]} == {(1, 0, 1)}
    second = shop.order(dict.fromkeys(ids, 1)).json["id"]
    shop.pay(second)
    refunded = shop.move(second, "refund")
    assert refunded.json["status"] == "refunded"
    assert {shop.stock(item_id) for item_id in ids[::30]} == {(1, 0, 1)}


def test_an_order_of_three_fits_its_budget(shop: Shop) -> None:
    items = [shop.add(sku=f"SKU-{n}", stock=50, name=f"Enamel mug number {n}")["id"] for n in range(3)]
    quantities = dict.fromkeys(items, 2)
    placed = shop.order(quantities, key="k")
    _fits(placed, requests=2, reads=5, writes=15)
    order_id = placed.json["id"]
    shop.pay(shop.order({items[0]: 1}).json["id"])  # opens the ledger accounts of orders
    _fits(shop.pay(order_id), requests=6, reads=6, writes=19)
    _fits(shop.move(order_id, "ship"), requests=2, reads=2, writes=14)
    _fits(shop.move(order_id, "deliver"), requests=2, reads=2, writes=8)
    assert shop.get(f"/orders/{order_id}").reads == 1
    cancelled = shop.order(quantities).json["id"]
    _fits(shop.move(cancelled, "cancel"), requests=2, reads=2, writes=15)
    refunded = shop.order(quantities).json["id"]
    shop.pay(refunded)
    _fits(shop.move(refunded, "refund"), requests=7, reads=8, writes=26)
    _fits(shop.order({items[0]: 99}), requests=3, reads=3, writes=1)


def _fits(answer: Answer, *, requests: int, reads: float, writes: float) -> None:
    spent = (float(answer.headers["x-db-requests"]), answer.reads, answer.writes)
    assert all(mine <= allowed for mine, allowed in zip(spent, (requests, reads, writes), strict=True)), spent


def test_a_void_token_places_nothing(shop: Shop) -> None:
    item = shop.add(stock=5)
    user = shop.post("/users", {"email": f"{uuid4().hex}@example.com", "name": "Sam", "role": "staff"}).json
    staff = Shop(shop.send, shop.key, shop.tenant, "staff", user["id"])
    order = staff.order({item["id"]: 1})
    assert order.status == 201
    shop.call("DELETE", f"/users/{user['id']}")
    for answer in (staff.order({item["id"]: 1}), staff.pay(order.json["id"]), staff.move(order.json["id"], "cancel")):
        assert (answer.status, answer.code) == (401, "UNAUTHORIZED")
    assert shop.stock(item["id"]) == (5, 1, 4)


def test_an_id_that_was_made_twice_overwrites_no_order(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    item = shop.add(stock=5)
    monkeypatch.setattr("repositories.orders.repository.new_id", lambda _: "order_01JD3ZK8Q4M5X6Y7Z8A9B0C1D0")
    first = shop.order({item["id"]: 1}).json
    assert shop.order({item["id"]: 2}).status == 500
    assert shop.get(f"/orders/{first['id']}").json == first
    assert shop.stock(item["id"]) == (5, 1, 4)
