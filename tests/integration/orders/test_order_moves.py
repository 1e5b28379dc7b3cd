"""Tests of order status changes (payment, shipment, refund, cancellation) and of access to orders."""

from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from domain.common.environment import now, using
from domain.orders.status import MOVES, OrderStatus
from local.samples.clock import TickingClock
from tests.integration.orders.common import brought_to
from tests.shop import Shop


def _placed(shop: Shop, units: int = 2) -> tuple[str, str]:
    item = shop.add(stock=5)
    return item["id"], shop.order({item["id"]: units}).json["id"]


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
    brought_to(status, shop, order_id)
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


def test_each_change_of_units_is_a_new_version_of_the_item(shop: Shop) -> None:
    item_id = shop.add(stock=5)["id"]
    seen = [shop.get(f"/items/{item_id}").etag]
    order = shop.order({item_id: 2}).json["id"]
    seen.append(shop.get(f"/items/{item_id}").etag)
    brought_to("shipped", shop, order)
    seen.append(shop.get(f"/items/{item_id}").etag)
    lines = [{"item_id": item_id, "quantity": 1, "restock": True}]
    shop.post(f"/orders/{order}/refunds", {"lines": lines}, key="back")
    seen.append(shop.get(f"/items/{item_id}").etag)
    assert seen == [f'"{version}"' for version in range(1, 5)]


def test_the_table_of_moves_is_the_contracts() -> None:
    legal = {f"{before} → {after}" for before, after in MOVES}
    assert legal == {
        "pending → paid",
        "pending → cancelled",
        "pending → expired",
        "paid → shipped",
        "paid → refunded",
        "shipped → delivered",
        "shipped → refunded",
        "delivered → refunded",
    }


def test_a_payment_is_captured_for_the_total(shop: Shop) -> None:
    _, order_id = _placed(shop)
    body = {"provider": "manual", "reference": "till 2"}
    answer = shop.post(f"/orders/{order_id}/payments", body, key="k")
    payment = answer.json
    assert answer.status == 201
    assert payment["id"].startswith("payment_")
    assert payment["updated_at"] == payment["created_at"]
    del payment["id"], payment["created_at"], payment["updated_at"], payment["transaction_id"]
    assert payment == {
        "order_id": order_id,
        "provider": "manual",
        "status": "captured",
        "amount": {"amount": "25.98", "currency": "EUR"},
        "reference": "till 2",
        "version": 1,
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


def test_orders_are_listed_by_time(shop: Shop) -> None:
    item = shop.add(stock=100)["id"]
    customer = shop.acting_as("customer")
    with using(TickingClock(now())):
        placed = [(shop if n % 2 else customer).order({item: 1}).json for n in range(9)]
    times = [each["created_at"] for each in placed]
    for start, end in [(0, 3), (3, 9), (2, 2), (0, 9)]:
        to = f"&to={times[end]}" if end < len(times) else ""
        for path, wanted in (("/orders?", placed), (f"/orders?customer_id={customer.user}&", placed[::2])):
            shown = [each["id"] for each in wanted if times[start] <= each["created_at"] < [*times, "~"][end]]
            found = shop.walk(2, f"{path}from={times[start]}{to}&")
            assert [each["id"] for each in reversed(found)] == shown
    finer = times[3].replace("Z", "5Z")
    assert [each["id"] for each in shop.walk(9, f"/orders?from={finer}&")] == [each["id"] for each in placed[:3:-1]]
    assert [each["id"] for each in shop.walk(9, f"/orders?to={finer}&")] == [each["id"] for each in placed[3::-1]]
    day, next_day = times[0][:10], f"{datetime.fromisoformat(times[0]) + timedelta(days=2):%Y-%m-%d}"
    assert len(shop.walk(9, f"/orders?from={day}&to={next_day}&")) == 9
    assert shop.walk(9, f"/orders?to={day}&") == []
    for form in (times[0].lower(), times[0].replace("Z", "000000Z"), times[0].replace("Z", "%2B00:00")):
        assert len(shop.walk(9, f"/orders?from={form}&")) == 9
    assert shop.get("/orders?cursor=").code == "CURSOR_INVALID"
    cursor = shop.get(f"/orders?from={day}&limit=2").json["next_cursor"]
    assert shop.get(f"/orders?limit=2&cursor={cursor}").code == "CURSOR_INVALID"
    for wrong in ("from=2026-11-22&to=2026-11-21", "from=yesterday", "from=2026-02-30"):
        answer = shop.get(f"/orders?{wrong}")
        assert (answer.status, answer.pointers) == (400, ["/query/from"])


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


def test_an_archived_item_still_ships_and_comes_back(shop: Shop) -> None:
    item_id, first = _placed(shop, 1)
    second = shop.order({item_id: 1}).json["id"]
    shop.delete(f"/items/{item_id}", "*")
    brought_to("shipped", shop, first)
    shop.move(second, "cancel")
    assert shop.stock(item_id) == (4, 0, 4)


def test_paying_after_the_hold_is_refused_and_cancelling_is_not(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    item_id, order_id = _placed(shop)
    monkeypatch.setattr("handlers.http.admission.now", lambda: now() + timedelta(minutes=15, seconds=1))
    late = shop.pay(order_id)
    assert (late.status, late.code) == (409, "INVALID_STATE")
    assert shop.move(order_id, "cancel").status == 200
    assert shop.stock(item_id) == (5, 0, 5)


def test_the_payments_of_an_order_are_listed(shop: Shop) -> None:
    customer = shop.acting_as("customer")
    order = customer.order({shop.add(stock=5)["id"]: 2}).json["id"]
    path = f"/orders/{order}/payments"
    assert customer.get(path).json == {"items": [], "next_cursor": None}
    payment = shop.pay(order).json
    assert customer.get(path).json["items"] == [payment]
    shop.move(order, "refund")
    [refund] = customer.get(f"/orders/{order}/refunds").json["items"]
    refunded = {"status": "refunded", "version": 2, "updated_at": refund["created_at"]}
    assert customer.get(path).json["items"] == [payment | refunded]
    assert shop.acting_as("customer").get(path).status == 404
    assert shop.get("/orders/order_01JD3ZK8Q4M5X6Y7Z8A9B0C1D9/payments").status == 404
