"""Tests of bookings that are lines of orders."""

from datetime import timedelta

import pytest

from handlers.registry import functions
from tests.integration.bookings.common import (
    EUROS,
    HOUR,
    act,
    at_later,
    book,
    booked,
    free,
    move,
    order_of,
    resource,
    status,
    tomorrow,
)
from tests.integration.bookings.conftest import Clock
from tests.shop import Shop


@pytest.fixture
def room(shop: Shop) -> str:
    return resource(shop, price=EUROS)


def test_a_booking_is_held_with_its_order_and_confirmed_when_that_is_paid(
    shop: Shop, room: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = shop.add(stock=5)["id"]
    made = booked(shop, room, tomorrow(), 2 * HOUR)
    lines = [{"booking_id": made}, {"item_id": item, "quantity": 2}]
    order = shop.post("/orders", {"lines": lines}, "k").json
    [line, _] = order["lines"]
    assert (line["booking_id"], line["item_id"], line["sku"], line["name"]) == (made, made, room, "Room")
    assert (line["quantity"], line["total"]["amount"], order["total"]["amount"]) == (1, "20.00", "45.98")
    held = shop.get(f"/bookings/{made}").json
    assert (held["status"], held["order_id"], held["hold_expires_at"]) == ("held", order["id"], None)
    for answer in (act(shop, made, "confirm"), act(shop, made, "cancel"), order_of(shop, made)):
        assert answer.code == "INVALID_STATE"
    with pytest.MonkeyPatch.context() as patch:
        at_later(patch, lambda: timedelta(hours=5))  # the order decides how long it is held
        assert book(shop, room, tomorrow()).code == "SLOT_TAKEN"
    assert shop.pay(order["id"]).status == 201
    assert status(shop, made) == "confirmed"
    shipped = shop.move(order["id"], "ship").json
    assert (shipped["status"], shipped["fulfillment_status"]) == ("shipped", "shipped")


@pytest.mark.parametrize("ends", ["cancelled", "expired"])
def test_an_order_that_ends_frees_its_bookings(shop: Shop, room: str, clock: Clock, ends: str) -> None:
    made = [booked(shop, room, tomorrow() + n * HOUR) for n in (0, 1, 30)]
    order = order_of(shop, *made).json
    if ends == "cancelled":
        assert shop.move(order["id"], "cancel").status == 200
    else:
        clock.ahead = timedelta(minutes=15)
        assert clock.sweep() == {"expired": 1, "bookings": 0}
    assert {status(shop, each) for each in made} == {ends}
    assert book(shop, room, tomorrow(), 31 * HOUR).status == 201


def test_a_refund_frees_the_bookings_that_it_returns(shop: Shop, room: str) -> None:
    made = [booked(shop, room, tomorrow() + n * HOUR) for n in range(3)]
    order = order_of(shop, *made).json
    shop.pay(order["id"])
    act(shop, made[2], "check-in")
    lines = [{"item_id": made[0], "quantity": 1, "restock": True}]
    assert shop.post(f"/orders/{order['id']}/refunds", {"lines": lines}, "r").json["amount"]["amount"] == "10.00"
    assert [status(shop, each) for each in made] == ["cancelled", "confirmed", "checked_in"]
    assert shop.move(order["id"], "refund").json["status"] == "refunded"
    assert [status(shop, each) for each in made] == ["cancelled", "cancelled", "checked_in"]
    assert len(free(shop, room, tomorrow(), tomorrow() + 3 * HOUR, minutes=60)) == 2


def test_a_refund_of_an_amount_frees_nothing_until_all_is_refunded(shop: Shop, room: str) -> None:
    made = booked(shop, room, tomorrow())
    order = order_of(shop, made).json["id"]
    shop.pay(order)
    for amount, wanted in (("4.00", "confirmed"), ("6.00", "cancelled")):
        body = {"amount": {"amount": amount, "currency": "EUR"}}
        assert shop.post(f"/orders/{order}/refunds", body, amount).status == 201
        assert status(shop, made) == wanted


def test_an_order_of_bookings_is_not_shipped(shop: Shop, room: str) -> None:
    order = order_of(shop, booked(shop, room, tomorrow())).json["id"]
    shop.pay(order)
    assert shop.move(order, "ship").code == "INVALID_STATE"


def test_a_booking_in_an_order_moves_at_the_same_price(shop: Shop, room: str) -> None:
    made = booked(shop, room, tomorrow())
    order = order_of(shop, made).json["id"]
    assert move(shop, made, tomorrow(), 2 * HOUR).code == "PRICE_CHANGED"
    assert move(shop, made, tomorrow() + 40 * HOUR).status == 200
    shop.pay(order)
    assert move(shop, made, tomorrow() + 50 * HOUR).json["status"] == "confirmed"
    assert shop.move(order, "refund").status == 200
    assert free(shop, room, tomorrow() + 50 * HOUR, tomorrow() + 51 * HOUR, minutes=60)


def test_only_held_bookings_of_the_customer_with_a_price_are_ordered(shop: Shop, room: str) -> None:
    jane = shop.acting_as("customer")
    made, of_jane = booked(shop, room, tomorrow()), booked(jane, room, tomorrow() + HOUR)
    unpriced = booked(shop, resource(shop), tomorrow())
    missing = order_of(shop, made, of_jane)
    assert (missing.code, missing.pointers) == ("NOT_FOUND", ["/lines/1/booking_id"])
    refused = order_of(shop, made, unpriced)
    assert (refused.code, refused.pointers) == ("INVALID_STATE", ["/lines/1/booking_id"])
    assert order_of(shop, made, made).code == "VALIDATION_ERROR"
    act(shop, made, "confirm")
    assert order_of(shop, made).code == "INVALID_STATE"
    assert order_of(shop, of_jane, customer_id=jane.user).status == 201
    assert order_of(jane, of_jane).code == "INVALID_STATE"
    assert shop.post("/orders", {"lines": [{"booking_id": made, "quantity": 1}]}, "k").code == "VALIDATION_ERROR"
    mistaken = shop.post("/orders", {"lines": [{"quantity": 1}]}, "k")
    assert mistaken.pointers == ["/lines/0/item_id"]


def test_a_hold_that_ended_is_not_ordered(shop: Shop, room: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made, taken = booked(shop, room, tomorrow()), booked(shop, room, tomorrow() + HOUR)
    with pytest.MonkeyPatch.context() as patch:
        at_later(patch, lambda: timedelta(minutes=15))
        assert order_of(shop, made).code == "INVALID_STATE"
        booked(shop, room, tomorrow() + HOUR)
    refused = order_of(shop, made, taken)  # by a clock that is late
    assert refused.code == "INVALID_STATE"
    assert shop.get(f"/bookings/{made}").json["order_id"] is None


def test_sales_of_bookings_count_for_their_resource(shop: Shop, room: str) -> None:
    order = order_of(shop, *(booked(shop, room, tomorrow() + n * HOUR) for n in range(2))).json
    quoted = shop.post("/orders/quote", {"lines": [{"booking_id": booked(shop, room, tomorrow() + 9 * HOUR)}]})
    assert quoted.json["total"]["amount"] == "10.00"
    shop.pay(order["id"])
    assert [line["booking_id"] for line in shop.get(f"/orders/{order['id']}").json["lines"]] == [
        line["booking_id"] for line in order["lines"]
    ]


def test_functions_of_orders_need_no_time_zones(shop: Shop, room: str) -> None:
    """Their zip has none: what reads resources is in the group `calendar`."""
    made = [booked(shop, room, tomorrow() + n * HOUR) for n in range(3)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("domain.bookings.hours.ZoneInfo", None)
        patch.setattr("domain.bookings.resources.ZoneInfo", None)
        order = order_of(shop, *made[:2]).json["id"]
        assert shop.pay(order).status == 201
        assert act(shop, made[0], "check-in").status == act(shop, made[2], "confirm").status == 200
        assert shop.move(order, "refund").status == act(shop, made[2], "cancel").status == 200
        assert status(shop, made[1]) == "cancelled"
        assert book(shop, room, tomorrow()).status == 500
    without = {each.name for each in functions() if each.resource == "bookings" and not each.declaration.packages}
    assert without == {"CancelBooking", "CheckInBooking", "ConfirmBooking", "GetBooking", "RecordNoShow"}
    assert all(each.declaration.packages for each in functions() if each.resource == "resources")


def test_an_order_ends_wherever_its_bookings_were_moved(shop: Shop) -> None:
    """Each may be moved onto pages of its own, and get no longer, so that one transaction can free them all."""
    price = {"per": "booking", "amount": {"amount": "10.00", "currency": "EUR"}}
    hall = resource(shop, price=price, capacity=50, max_minutes=88 * 1440)
    made = [booked(shop, hall, tomorrow()) for _ in range(30)]
    assert order_of(shop, *made).code == "INVALID_STATE"
    order = order_of(shop, *made[:29]).json["id"]
    assert move(shop, made[0], tomorrow(), 2 * HOUR).code == "INVALID_STATE"
    for number, each in enumerate(made[:29]):
        assert move(shop, each, tomorrow() + timedelta(days=2 * number, hours=23, minutes=30)).status == 200
    shop.pay(order)
    assert shop.move(order, "refund").json["status"] == "refunded"
    assert {status(shop, each) for each in made[:29]} == {"cancelled"}
    assert order_of(shop, booked(shop, hall, tomorrow(), timedelta(days=87))).status == 201
    assert order_of(shop, booked(shop, hall, tomorrow(), timedelta(days=88))).code == "INVALID_STATE"


def test_an_item_line_names_no_booking(shop: Shop, room: str) -> None:
    made = booked(shop, room, tomorrow())
    lines = [{"booking_id": made}, {"item_id": made, "quantity": 2}]
    refused = shop.post("/orders", {"lines": lines}, "k")
    assert (refused.code, refused.pointers) == ("NOT_FOUND", ["/lines/1/item_id"])
    item = shop.add()["id"]
    assert order_of(shop, item).pointers == ["/lines/0/booking_id"]
