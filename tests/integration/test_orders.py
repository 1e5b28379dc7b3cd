"""Orders and what they do to stock."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from domain.common.environment import now
from domain.orders import MOVES, OrderStatus, StockEffect
from tests.shop import Answer, Shop


def test_an_order_reserves_its_stock_and_shows_what_it_costs(shop: Shop) -> None:
    mug, tray = shop.add(sku="MUG", stock=5), shop.add(name="Tray", price={"amount": "3.5", "currency": "EUR"})
    answer = shop.order({mug["id"]: 2, tray["id"]: 3}, note="Ring twice")
    order = answer.json
    assert (answer.status, answer.etag) == (201, '"1"')
    assert answer.headers["location"] == f"/v1/orders/{order['id']}"
    assert order["lines"] == [
        {
            "item_id": mug["id"],
            "sku": "MUG",
            "name": "Enamel mug",
            "quantity": 2,
            "unit_price": {"amount": "12.99", "currency": "EUR"},
            "total": {"amount": "25.98", "currency": "EUR"},
        },
        {
            "item_id": tray["id"],
            "sku": None,
            "name": "Tray",
            "quantity": 3,
            "unit_price": {"amount": "3.50", "currency": "EUR"},
            "total": {"amount": "10.50", "currency": "EUR"},
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


def _placed(shop: Shop, units: int = 2) -> tuple[str, str]:
    item = shop.add(stock=5)
    return item["id"], shop.order({item["id"]: units}).json["id"]


def _brought_to(status: str, shop: Shop, order_id: str) -> Answer | None:
    ways = {
        "pending": [],
        "paid": ["pay"],
        "shipped": ["pay", "ship"],
        "delivered": ["pay", "ship", "deliver"],
        "cancelled": ["cancel"],
        "refunded": ["pay", "refund"],
    }
    answer = None
    for move in ways[status]:
        answer = shop.pay(order_id) if move == "pay" else shop.move(order_id, move)
        assert answer.status in {200, 201}, answer.body
    return answer


STOCK_AFTER = {
    "pending": (5, 2, 3),
    "paid": (5, 2, 3),
    "shipped": (3, 0, 3),
    "delivered": (3, 0, 3),
    "cancelled": (5, 0, 5),
    "refunded": (5, 0, 5),
}


@pytest.mark.parametrize("status", STOCK_AFTER)
def test_only_legal_moves_are_made_and_each_settles_stock_once(shop: Shop, status: str) -> None:
    item_id, order_id = _placed(shop)
    _brought_to(status, shop, order_id)
    assert shop.stock(item_id) == STOCK_AFTER[status]
    order = shop.get(f"/orders/{order_id}").json
    assert order["status"] == status
    assert (order["hold_expires_at"] is None) == (status != "pending")
    assert [step["status"] for step in order["history"]][-1] == status
    assert order["version"] == len(order["history"])
    moves = {"cancel": "cancelled", "ship": "shipped", "deliver": "delivered", "refund": "refunded", "pay": "paid"}
    for move, to in moves.items():
        if (OrderStatus(status), OrderStatus(to)) in MOVES:
            continue
        refused = shop.pay(order_id) if move == "pay" else shop.move(order_id, move)
        assert (refused.status, refused.code) == (409, "INVALID_STATE")
    assert shop.stock(item_id) == STOCK_AFTER[status]
    assert shop.get(f"/orders/{order_id}").json == order


def test_the_table_of_moves_is_the_contracts() -> None:
    legal = {f"{before} → {after}" for before, after in MOVES}
    assert legal == {
        "pending → paid",
        "pending → cancelled",
        "pending → expired",
        "paid → shipped",
        "paid → refunded",
        "shipped → delivered",
    }
    assert StockEffect.HOLD not in MOVES.values()


def test_what_is_created_is_where_its_location_says(shop: Shop) -> None:
    order = shop.order({shop.add(stock=1)["id"]: 1})
    for created in (order, shop.pay(order.json["id"])):
        assert created.status == 201
        assert shop.get(created.headers["location"].removeprefix("/v1")).status == 200


def test_a_payment_is_captured_for_the_total(shop: Shop) -> None:
    _, order_id = _placed(shop)
    body = {"provider": "manual", "reference": "till 2"}
    answer = shop.post(f"/orders/{order_id}/payments", body, key="k")
    payment = answer.json
    assert answer.status == 201
    assert payment["id"].startswith("payment_")
    del payment["id"], payment["created_at"], payment["transaction_id"]
    assert payment == {
        "order_id": order_id,
        "provider": "manual",
        "status": "captured",
        "amount": {"amount": "25.98", "currency": "EUR"},
        "reference": "till 2",
    }
    again = shop.post(f"/orders/{order_id}/payments", body, key="k")
    assert (again.body, again.headers["idempotent-replayed"]) == (answer.body, "true")


def test_a_refund_may_say_why_or_nothing(shop: Shop) -> None:
    for body in (None, {}, {"reason": "broken"}):
        _, order_id = _placed(shop)
        shop.pay(order_id)
        assert shop.post(f"/orders/{order_id}/refund", body, key="k").json["status"] == "refunded"
    _, order_id = _placed(shop)
    shop.pay(order_id)
    assert shop.post(f"/orders/{order_id}/refund", {"why": "?"}, key="k").pointers == ["/why"]
    assert shop.post(f"/orders/{order_id}/refund", {}).code == "IDEMPOTENCY_KEY_REQUIRED"


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


def test_customers_reach_their_own_orders_only(shop: Shop) -> None:
    item = shop.add(stock=50)
    jane, joe = shop.acting_as("customer"), shop.acting_as("customer")
    mine = jane.order({item["id"]: 1}).json
    assert mine["customer_id"] == jane.user
    assert joe.order({item["id"]: 1}, customer_id=joe.user).status == 201
    assert joe.order({item["id"]: 1}, customer_id=jane.user).code == "FORBIDDEN"
    for answer in (joe.get(f"/orders/{mine['id']}"), joe.move(mine["id"], "cancel")):
        assert (answer.status, answer.code) == (404, "NOT_FOUND")
    for answer in (jane.move(mine["id"], "ship"), jane.pay(mine["id"]), jane.move(mine["id"], "refund")):
        assert answer.code == "FORBIDDEN"
    assert [order["id"] for order in jane.walk(10, "/orders?")] == [mine["id"]]
    assert joe.get(f"/orders?customer_id={jane.user}").code == "FORBIDDEN"
    assert jane.move(mine["id"], "cancel").json["status"] == "cancelled"
    for_jane = shop.acting_as("staff").order({item["id"]: 1}, customer_id=jane.user).json
    assert [order["id"] for order in jane.walk(1, "/orders?")] == [for_jane["id"], mine["id"]]


def test_orders_are_listed_by_customer_and_status(shop: Shop) -> None:
    item = shop.add(stock=50)
    customers = [str(uuid4()), str(uuid4())]
    orders = [shop.order({item["id"]: 1}, customer_id=customers[n % 2]).json for n in range(9)]
    for order in orders[:3]:
        shop.pay(order["id"])
    newest_first = [order["id"] for order in reversed(orders)]
    found = shop.walk(2, "/orders?")
    assert [order["id"] for order in found] == newest_first
    assert "lines" not in found[0]
    assert "history" not in found[0]

    def ids(query: str, limit: int = 2) -> list[str]:
        return [order["id"] for order in shop.walk(limit, f"/orders?{query}")]

    assert ids("status=paid") == [order["id"] for order in reversed(orders[:3])]
    assert ids("status=pending", 1) == newest_first[:6]
    assert ids(f"customer_id={customers[0]}") == newest_first[::2]
    assert ids(f"customer_id={customers[1]}&status=paid") == [orders[1]["id"]]
    assert ids("status=expired") == []
    cursor = shop.get("/orders?status=paid&limit=1").json["next_cursor"]
    for other in ("status=pending", "", f"customer_id={customers[0]}&status=paid"):
        assert shop.get(f"/orders?{other}&cursor={cursor}").code == "CURSOR_INVALID"


def test_a_page_of_a_rare_status_looks_at_a_bounded_number_of_orders(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("repositories.paging.lists.MAX_EXAMINED", 5)
    item = shop.add(stock=50)
    orders = [shop.order({item["id"]: 1}).json["id"] for _ in range(14)]
    shop.pay(orders[0])
    pages, cursor = [], ""
    while cursor is not None:
        page = shop.get("/orders?status=paid&limit=2" + (f"&cursor={cursor}" if cursor else "")).json
        pages.append([order["id"] for order in page["items"]])
        cursor = page["next_cursor"]
    assert pages == [[], [], [orders[0]]]


def test_an_order_keeps_the_price_at_which_it_was_placed(shop: Shop) -> None:
    item = shop.add(stock=5)
    order = shop.order({item["id"]: 1}).json
    shop.patch(f"/items/{item['id']}", {"price": {"amount": "99"}, "name": "Gold mug"}, "*")
    assert shop.get(f"/orders/{order['id']}").json == order
    assert shop.order({item["id"]: 1}).json["lines"][0]["name"] == "Gold mug"


def test_an_archived_item_still_ships_and_comes_back(shop: Shop) -> None:
    item_id, first = _placed(shop, 1)
    second = shop.order({item_id: 1}).json["id"]
    shop.delete(f"/items/{item_id}", "*")
    _brought_to("shipped", shop, first)
    shop.move(second, "cancel")
    assert shop.stock(item_id) == (4, 0, 4)


def test_ninety_items_fit_an_order(shop: Shop) -> None:
    rows = [{"name": f"Item {n}", "price": {"amount": "1", "currency": "EUR"}, "stock": 2} for n in range(90)]
    results = shop.post("/items/batch", {"items": rows}, key="k").json["results"]
    ids = [row["item"]["id"] for row in results]
    order = shop.order(dict.fromkeys(ids, 1)).json
    assert order["total"]["amount"] == "90.00"
    _brought_to("shipped", shop, order["id"])
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
    _fits(placed, requests=2, reads=5, writes=16)
    order_id = placed.json["id"]
    shop.pay(shop.order({items[0]: 1}).json["id"])  # opens the accounts that orders post to
    _fits(shop.pay(order_id), requests=6, reads=6, writes=21)
    _fits(shop.move(order_id, "ship"), requests=2, reads=2, writes=14)
    _fits(shop.move(order_id, "deliver"), requests=2, reads=2, writes=8)
    assert shop.get(f"/orders/{order_id}").reads == 1
    cancelled = shop.order(quantities).json["id"]
    _fits(shop.move(cancelled, "cancel"), requests=2, reads=2, writes=15)
    refunded = shop.order(quantities).json["id"]
    shop.pay(refunded)
    _fits(shop.move(refunded, "refund"), requests=7, reads=8, writes=32)
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


def test_paying_after_the_hold_is_refused_and_cancelling_is_not(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    item_id, order_id = _placed(shop)
    monkeypatch.setattr("handlers.http.route.now", lambda: now() + timedelta(minutes=15, seconds=1))
    late = shop.pay(order_id)
    assert (late.status, late.code) == (409, "INVALID_STATE")
    assert shop.move(order_id, "cancel").status == 200
    assert shop.stock(item_id) == (5, 0, 5)


def test_an_id_that_was_made_twice_overwrites_no_order(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    item = shop.add(stock=5)
    monkeypatch.setattr("repositories.orders.repository.new_id", lambda _: "order_01JD3ZK8Q4M5X6Y7Z8A9B0C1D0")
    first = shop.order({item["id"]: 1}).json
    assert shop.order({item["id"]: 2}).status == 500
    assert shop.get(f"/orders/{first['id']}").json == first
    assert shop.stock(item["id"]) == (5, 1, 4)
