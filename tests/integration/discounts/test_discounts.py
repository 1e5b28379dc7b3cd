"""Tests of discount codes: their management, what they take off, and their limits."""

from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from domain.common.codes import canonical_code
from domain.common.environment import now
from domain.common.model import to_rfc3339
from tests.integration.orders.taxed import Open, eur
from tests.people import Operator, new_tenant
from tests.shop import Answer, Shop, race


def _discount(shop: Shop, code: str = "SUMMER10", **fields: Any) -> dict[str, Any]:
    made = shop.post("/discounts", {"code": code} | ({"percent": "10"} | fields if "amount" not in fields else fields))
    assert made.status == 201, made.body
    discount: dict[str, Any] = made.json
    return discount


def _uses(shop: Shop, discount: dict[str, Any]) -> int:
    uses: int = shop.get(f"/discounts/{discount['id']}").json["uses"]
    return uses


def _invalid(answer: Answer) -> str:
    assert (answer.status, answer.code, answer.pointers) == (409, "DISCOUNT_INVALID", ["/discount_code"]), answer.body
    return str(answer.json["errors"][0]["detail"])


def test_a_discount_is_made_read_changed_and_archived(shop: Shop) -> None:
    body = {"code": "Fair-2026", "amount": eur("5"), "min_subtotal": eur("20"), "max_uses": 3}
    body |= {"starts_at": "2026-11-01T00:00:00Z", "ends_at": "2027-11-01T01:00:00+01:00", "max_uses_per_customer": 1}
    made = shop.post("/discounts", body)
    discount = made.json
    path = f"/discounts/{discount['id']}"
    assert (made.status, made.headers["location"], made.etag) == (201, f"/v1{path}", '"1"')
    expected = body | {
        "percent": None,
        "amount": eur("5.00"),
        "min_subtotal": eur("20.00"),
        "starts_at": "2026-11-01T00:00:00.000Z",
        "ends_at": "2027-11-01T00:00:00.000Z",
        "uses": 0,
        "status": "active",
        "version": 1,
    }
    assert {name: discount[name] for name in expected} == expected
    read = shop.get(path)
    assert (read.json, read.etag) == (discount, '"1"')
    assert shop.get(path, If_None_Match='"1"').status == 304
    assert shop.post("/discounts", {"code": "fAIR-2026", "percent": "1"}).pointers == ["/code"]
    other = _discount(shop, "OTHER")
    assert [each["id"] for each in shop.walk(1, "/discounts?")] == [other["id"], discount["id"]]
    changed = shop.patch(
        path, {"amount": None, "percent": 15, "min_subtotal": {"amount": "30"}, "ends_at": None}, '"1"'
    )
    assert (changed.status, changed.etag) == (200, '"2"')
    assert (changed.json["percent"], changed.json["amount"], changed.json["ends_at"]) == ("15", None, None)
    assert changed.json["min_subtotal"] == eur("30.00")
    assert shop.patch(path, {"max_uses": 9}, '"1"').status == 412
    assert shop.call("PATCH", path, {"max_uses": 9}).status == 428
    assert shop.patch(path, {"percent": None}, '"2"').status == 400
    assert shop.patch(path, {"code": "NEW"}, '"2"').pointers == ["/code"]
    assert (shop.delete(path, '"2"').status, shop.get(path).json["status"]) == (204, "archived")
    assert shop.delete(path, '"1"').status == 412
    assert shop.call("DELETE", path).status == 204
    assert shop.patch(path, {"max_uses": 9}, "*").code == "INVALID_STATE"
    assert shop.get("/discounts/discount_01JD3ZK8Q4M5X6Y7Z8A9B0C1D2").code == "NOT_FOUND"
    assert Shop(shop.send).get(path).code == "NOT_FOUND"


def test_owners_manage_discounts_and_staff_read_them(shop: Shop) -> None:
    discount = _discount(shop)
    path = f"/discounts/{discount['id']}"
    staff, customer = shop.acting_as("staff"), shop.acting_as("customer")
    assert (staff.get(path).status, staff.get("/discounts").status) == (200, 200)
    assert (customer.get(path).code, customer.get("/discounts").code) == ("FORBIDDEN", "FORBIDDEN")
    for caller in (staff, customer):
        assert caller.post("/discounts", {"code": "X", "percent": "1"}).code == "FORBIDDEN"
        assert caller.patch(path, {"percent": "1"}, "*").code == "FORBIDDEN"
        assert caller.delete(path, "*").code == "FORBIDDEN"


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({}, ""),
        ({"percent": "10", "amount": eur("1")}, ""),
        ({"percent": "0"}, "/percent"),
        ({"percent": "100.01"}, "/percent"),
        ({"percent": "1.234"}, "/percent"),
        ({"percent": True}, "/percent"),
        ({"percent": "-5"}, "/percent"),
        ({"amount": eur("0")}, "/amount"),
        ({"amount": eur("1"), "min_subtotal": {"amount": "5", "currency": "USD"}}, ""),
        ({"percent": "5", "max_uses": 0}, "/max_uses"),
        ({"percent": "5", "starts_at": "2026-12-01T00:00:00Z", "ends_at": "2026-12-01T00:00:00Z"}, ""),
        ({"percent": "5", "code": " "}, "/code"),
        ({"percent": "5", "uses": 3}, "/uses"),
    ],
)
def test_a_discount_that_makes_no_sense_is_refused(shop: Shop, fields: dict[str, Any], pointer: str) -> None:
    refused = shop.post("/discounts", {"code": "X"} | fields)
    assert (refused.status, refused.pointers) == (400, [pointer])


def test_a_code_is_spread_over_the_lines_and_not_over_charges(open_shop: Open) -> None:
    shop = open_shop()
    discount = _discount(shop, amount=eur("1"))
    items = [shop.add(price=eur("3.33"), stock=5)["id"] for _ in range(3)]
    wanted: dict[str, Any] = {"discount_code": "summer10", "shipping_option": "parcel"}
    wanted["charges"] = [{"kind": "discount", "label": "Loyalty", "amount": eur("1.38")}]
    order = shop.order(dict.fromkeys(items, 1), **wanted).json
    # Of the code 0.34, 0.33, 0.33 on lines; of the other one a tenth of 2.99, 3.00, 3.00 and 4.90.
    assert [line["discount"]["amount"] for line in order["lines"]] == ["0.64", "0.63", "0.63"]
    assert [charge["discount"]["amount"] for charge in order["charges"]] == ["0.48", "0.00"]
    assert order["discount"] == {"id": discount["id"], "code": "SUMMER10", "amount": eur("1.00")}
    assert (order["discount_total"], order["subtotal"]) == (eur("2.38"), eur("9.99"))
    lines = [{"item_id": item, "quantity": 1} for item in items]
    quoted = shop.post("/orders/quote", {"lines": lines} | wanted).json
    assert quoted == {name: order[name] for name in quoted}
    [listed] = shop.get("/orders").json["items"]
    assert listed["discount"] == order["discount"]
    assert shop.get(f"/orders/{order['id']}").json == order
    assert shop.pay(order["id"]).status == 201
    assert shop.get(f"/orders/{order['id']}").json["discount"] == order["discount"]


@pytest.mark.parametrize(
    ("percent", "price", "off"),
    [("10", "0.15", "0.02"), ("12.5", "9.99", "1.25"), ("100", "9.99", "9.99"), (7, "1", "0.07")],
)
def test_a_percentage_is_rounded_half_up(shop: Shop, percent: Any, price: str, off: str) -> None:
    _discount(shop, percent=percent)
    order = shop.order({shop.add(price=eur(price), stock=1)["id"]: 1}, discount_code="SUMMER10").json
    assert order["discount"]["amount"]["amount"] == off
    assert float(order["total"]["amount"]) == round(float(price) - float(off), 2)


def test_an_amount_takes_off_no_more_than_the_lines(open_shop: Open) -> None:
    shop = open_shop()
    _discount(shop, amount=eur("50"))
    item = shop.add(price=eur("10"), stock=9)["id"]
    order = shop.order({item: 2}, discount_code="SUMMER10", shipping_option="parcel").json
    assert (order["discount_total"], order["total"]) == (eur("20.00"), eur("5.39"))


def test_free_shipping_is_for_what_the_lines_come_to_after_the_code(open_shop: Open) -> None:
    shop = open_shop()
    _discount(shop, amount=eur("0.01"))
    item = shop.add(price=eur("50"), stock=9)["id"]
    address = {"name": "J", "line1": "1 High Street", "city": "Leeds", "country": "GB"}
    wanted: Any = {"shipping_option": "free", "shipping_address": address}
    assert shop.order({item: 1}, **wanted).json["shipping_total"] == eur("0.00")
    assert shop.order({item: 1}, **wanted, discount_code="SUMMER10").json["shipping_total"] == eur("4.90")


def test_a_code_that_cannot_be_used_refuses_the_order(shop: Shop) -> None:
    item = shop.add(price=eur("10"), stock=50)["id"]
    in_dollars = shop.add(price={"amount": "10", "currency": "USD"}, stock=50)["id"]
    before, after = (to_rfc3339(now() + timedelta(hours=hours)) for hours in (-1, 1))
    _discount(shop, "OVER", ends_at=before)
    _discount(shop, "SOON", starts_at=after)
    _discount(shop, "LARGE", min_subtotal=eur("20.01"))
    _discount(shop, "EURO", amount=eur("1"))
    _discount(shop, "NOW", starts_at=before, ends_at=after, min_subtotal=eur("20"))
    archived = _discount(shop, "GONE")
    shop.delete(f"/discounts/{archived['id']}", "*")
    for code in ("NONE", "OVER", "SOON", "LARGE", "GONE"):
        key = uuid4().hex
        told = _invalid(shop.order({item: 2}, key, discount_code=code))
        assert _invalid(shop.order({item: 2}, key, discount_code=code)) == told
        lines = [{"item_id": item, "quantity": 2}]
        assert _invalid(shop.post("/orders/quote", {"lines": lines, "discount_code": code})) == told
    _invalid(shop.order({in_dollars: 2}, discount_code="EURO"))
    assert shop.stock(item) == (50, 0, 50)
    assert shop.order({item: 2}, discount_code="now").status == 201
    assert shop.order({item: 2}, discount_code="").status == 400
    assert Shop(shop.send).post("/orders/quote", {"lines": [], "discount_code": "NOW"}).status == 400


def test_a_use_is_given_back_once_when_its_order_ends_unpaid(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    discount = _discount(shop, max_uses=2)
    item = shop.add(price=eur("10"), stock=50)["id"]
    first, second = (shop.order({item: 1}, discount_code="SUMMER10").json["id"] for _ in range(2))
    assert _uses(shop, discount) == 2
    assert _invalid(shop.order({item: 1}, discount_code="SUMMER10")) == "It has been used up."
    assert shop.move(first, "cancel").status == 200
    assert shop.move(first, "cancel").status == 409
    assert _uses(shop, discount) == 1
    third = shop.order({item: 1}, discount_code="SUMMER10").json["id"]
    shop.pay(third)
    shop.move(third, "refund")
    assert _uses(shop, discount) == 2
    shop.pay(second)
    shop.delete(f"/discounts/{discount['id']}", "*")
    assert shop.get(f"/orders/{second}").json["discount"]["code"] == "SUMMER10"


def test_times_are_compared_as_they_are_kept(shop: Shop) -> None:
    fields = {"code": "NOW", "percent": "5", "starts_at": "2026-11-01T00:00:00.0001Z"}
    assert shop.post("/discounts", fields | {"ends_at": "2026-11-01T00:00:00.0002Z"}).status == 400
    made = shop.post("/discounts", fields | {"ends_at": "2026-11-01T00:00:00.0012Z"}).json
    assert shop.patch(f"/discounts/{made['id']}", {"max_uses": 3}, "*").status == 200


def test_codes_are_compared_without_case_in_any_form(shop: Shop) -> None:
    _discount(shop, "Gr\u00fcn")
    taken = shop.post("/discounts", {"code": "GRU\u0308N", "percent": "5"})
    assert (taken.code, taken.pointers) == ("INVALID_STATE", ["/code"])
    assert canonical_code("\u1fb7") == canonical_code("\u0391\u0342\u0399")


def test_a_discount_is_in_a_currency_that_the_shop_trades_in(operator: Operator, shop: Shop) -> None:
    tenant = new_tenant(currencies=["EUR"])
    assert operator.call("POST", "/tenants", tenant).status == 201
    shop.tenant = tenant["id"]
    dollars = {"amount": "5", "currency": "USD"}
    for name, more in (("amount", {}), ("min_subtotal", {"percent": "5"})):
        refused = shop.post("/discounts", {"code": "X", name: dollars} | more)
        assert (refused.status, refused.pointers) == (400, [f"/{name}/currency"])


def test_customers_use_a_code_as_often_as_they_may(shop: Shop) -> None:
    discount = _discount(shop, max_uses_per_customer=2)
    item = shop.add(price=eur("10"), stock=50)["id"]
    jane, joe = shop.acting_as("customer"), shop.acting_as("customer")
    orders = [jane.order({item: 1}, discount_code="SUMMER10").json["id"] for _ in range(2)]
    assert _invalid(jane.order({item: 1}, discount_code="SUMMER10")).startswith("The customer")
    assert _invalid(shop.order({item: 1}, customer_id=jane.user, discount_code="SUMMER10")).startswith("The customer")
    assert joe.order({item: 1}, discount_code="SUMMER10").status == 201
    assert jane.move(orders[0], "cancel").status == 200
    assert jane.order({item: 1}, discount_code="SUMMER10").status == 201
    _invalid(jane.order({item: 1}, discount_code="SUMMER10"))
    assert _uses(shop, discount) == 3
    # A limit that is set later counts earlier uses.
    shop.patch(f"/discounts/{discount['id']}", {"max_uses_per_customer": 1}, "*")
    _invalid(joe.order({item: 1}, discount_code="SUMMER10"))


def test_a_discount_can_be_edited_while_it_is_used(shop: Shop) -> None:
    discount = _discount(shop)
    path = f"/discounts/{discount['id']}"
    item = shop.add(price=eur("10"), stock=50)["id"]
    shop.order({item: 1}, discount_code="SUMMER10")
    assert shop.get(path).etag == '"2"'
    assert shop.patch(path, {"max_uses": 1}, '"1"').etag == '"3"'
    assert shop.patch(path, {"max_uses": 2}, '"1"').status == 412
    _invalid(shop.order({item: 1}, discount_code="SUMMER10"))


def test_ten_of_forty_buyers_get_the_code_that_ten_may_use(served: Shop) -> None:
    discount = _discount(served, max_uses=10)
    item = served.add(price=eur("10"), stock=100)["id"]
    buyers = [served.acting_as("customer") for _ in range(40)]

    def buy(n: int) -> Answer:
        key = uuid4().hex
        while (answer := buyers[n].order({item: 1}, key, discount_code="SUMMER10")).code == "CONTENTION":
            pass
        return answer

    answers = race(40, buy)
    assert Counter(answer.status for answer in answers) == {201: 10, 409: 30}
    for answer in answers:
        assert answer.status == 201 or _invalid(answer) == "It has been used up."
    assert _uses(served, discount) == 10
    assert served.stock(item) == (100, 10, 90)


def test_one_customer_cannot_use_a_code_twice_at_once(served: Shop) -> None:
    discount = _discount(served, max_uses_per_customer=1)
    item = served.add(price=eur("10"), stock=100)["id"]
    jane = served.acting_as("customer")
    codes = Counter(
        answer.code or "placed" for answer in race(8, lambda _: jane.order({item: 1}, discount_code="SUMMER10"))
    )
    assert codes["placed"] == 1
    assert set(codes) <= {"placed", "DISCOUNT_INVALID", "CONTENTION"}
    assert _uses(served, discount) == 1
