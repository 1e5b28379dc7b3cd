"""Tests of shipments in parts."""

from collections import Counter

from tests.integration.orders.common import brought_to
from tests.shop import Shop, race


def _paid(shop: Shop, **units: int) -> tuple[dict[str, str], str]:
    """Return items with ten units each, by name, and a paid order of some units of them."""
    items = {name: shop.add(name=name, stock=10)["id"] for name in units}
    order = shop.order({items[name]: count for name, count in units.items()}).json["id"]
    shop.pay(order)
    return items, order


def _lines(**units: int) -> list[dict[str, object]]:
    return [{"item_id": item, "quantity": count} for item, count in units.items()]


def test_an_order_is_shipped_in_parts(shop: Shop) -> None:
    items, order = _paid(shop, mug=3, pot=1)
    path = f"/orders/{order}/shipments"
    first = shop.post(path, {"lines": _lines(**{items["mug"]: 2}), "carrier": "DHL", "tracking_number": "JJD1"})
    assert (first.status, first.headers["location"]) == (201, f"/v1{path}")
    shipment = first.json
    assert shipment["id"].startswith("shipment_")
    assert (shipment["order_id"], shipment["carrier"], shipment["tracking_number"]) == (order, "DHL", "JJD1")
    assert shipment["lines"] == _lines(**{items["mug"]: 2})
    shown = shop.get(f"/orders/{order}").json
    assert (shown["status"], shown["fulfillment_status"]) == ("paid", "partially_shipped")
    assert [line["shipped"] for line in shown["lines"]] == [2, 0]
    assert shown["shipments"] == [shipment]
    assert (shop.stock(items["mug"]), shop.stock(items["pot"])) == ((8, 1, 7), (10, 1, 9))
    [listed] = shop.get("/orders").json["items"]
    assert listed["fulfillment_status"] == "partially_shipped"
    rest = shop.post(path, None)
    assert rest.json["lines"] == _lines(**{items["mug"]: 1, items["pot"]: 1})
    shown = shop.get(f"/orders/{order}").json
    assert (shown["status"], shown["fulfillment_status"]) == ("shipped", "shipped")
    assert [step["status"] for step in shown["history"]] == ["pending", "paid", "shipped"]
    assert shown["version"] == 4
    assert shop.get(path).json == {"items": [rest.json, shipment], "next_cursor": None}
    assert (shop.stock(items["mug"]), shop.stock(items["pot"])) == ((7, 0, 7), (9, 0, 9))
    assert shop.move(order, "deliver").json["fulfillment_status"] == "delivered"


def test_more_than_remains_is_not_shipped(shop: Shop) -> None:
    items, order = _paid(shop, mug=3)
    path, mug = f"/orders/{order}/shipments", items["mug"]
    assert shop.post(path, {"lines": _lines(**{mug: 2})}).status == 201
    twice = [*_lines(**{mug: 1}), *_lines(**{mug: 1})]
    for lines, pointer in (
        (_lines(**{mug: 2}), "/lines/0/quantity"),
        (twice, "/lines/1/quantity"),
        (_lines(item_01JD3ZK8Q4M5X6Y7Z8A9B0C1D2=1), "/lines/0/quantity"),
    ):
        refused = shop.post(path, {"lines": lines})
        assert (refused.status, refused.code, refused.pointers) == (409, "INVALID_STATE", [pointer])
    malformed: list[dict[str, object]] = [{"lines": []}, {"lines": _lines(**{mug: 0})}, {"carrier": ""}, {"weight": 3}]
    for wrong in malformed:
        assert shop.post(path, wrong).status == 400
    assert shop.stock(mug) == (8, 1, 7)
    shipped = shop.move(order, "ship").json
    assert [each["lines"][0]["quantity"] for each in shipped["shipments"]] == [2, 1]
    assert shop.post(path, None).code == "INVALID_STATE"


def test_only_paid_orders_are_shipped_and_customers_see_their_own(shop: Shop) -> None:
    jane, joe = shop.acting_as("customer"), shop.acting_as("customer")
    mug = shop.add(stock=50)["id"]
    for status in ("pending", "shipped", "delivered", "cancelled", "refunded"):
        order = jane.order({mug: 1}).json["id"]
        brought_to(status, shop, order)
        assert shop.post(f"/orders/{order}/shipments", None).code == "INVALID_STATE"
    order = jane.order({mug: 1}).json["id"]
    shop.pay(order)
    path = f"/orders/{order}/shipments"
    assert jane.post(path, None).code == "FORBIDDEN"
    made = shop.acting_as("staff").post(path, None, key="k")
    assert made.status == 201
    assert shop.post(path, None).code == "INVALID_STATE"
    assert jane.get(path).json["items"] == [made.json]
    assert joe.get(path).code == "NOT_FOUND"
    assert shop.get("/orders/order_01JD3ZK8Q4M5X6Y7Z8A9B0C1D9/shipments").code == "NOT_FOUND"


def test_units_are_shipped_from_the_shards_that_hold_them(shop: Shop) -> None:
    mug = shop.add(stock=8)["id"]
    assert shop.post(f"/items/{mug}/stock-buckets", {"count": 4}, key="split").status == 200
    order = shop.order({mug: 7}).json["id"]
    shop.pay(order)
    for shipped in range(1, 8):
        assert shop.post(f"/orders/{order}/shipments", {"lines": _lines(**{mug: 1})}).status == 201
        assert shop.stock(mug) == (8 - shipped, 7 - shipped, 1)
        buckets = shop.get(f"/items/{mug}/stock-buckets").json["buckets"]
        assert all(0 <= bucket["reserved"] <= bucket["on_hand"] for bucket in buckets)
    assert shop.get(f"/orders/{order}").json["status"] == "shipped"


def test_an_order_has_a_bounded_number_of_shipments(shop: Shop) -> None:
    mug = shop.add(stock=200)["id"]
    order = shop.order({mug: 150}).json["id"]
    shop.pay(order)
    for _ in range(99):
        assert shop.post(f"/orders/{order}/shipments", {"lines": _lines(**{mug: 1})}).status == 201
    assert shop.post(f"/orders/{order}/shipments", {"lines": _lines(**{mug: 1})}).code == "INVALID_STATE"
    assert len(shop.move(order, "ship").json["shipments"]) == 100


def test_the_last_unit_is_shipped_once(served: Shop) -> None:
    shop = served
    items, order = _paid(shop, mug=3)
    answers = race(9, lambda _: shop.post(f"/orders/{order}/shipments", {"lines": _lines(**{items["mug"]: 1})}))
    codes = Counter(answer.code or "made" for answer in answers)
    assert set(codes) <= {"made", "INVALID_STATE", "CONTENTION"}
    assert codes["made"] == 3 or codes["CONTENTION"]
    left = 3 - codes["made"]
    assert shop.stock(items["mug"]) == (7 + left, left, 7)
