"""Tests of bookings: their life, who may do what, and what they cost."""

from datetime import timedelta
from typing import Any

import pytest

from tests.integration.bookings.common import (
    EUROS,
    HOUR,
    act,
    at_later,
    book,
    booked,
    free,
    ids,
    move,
    resource,
    status,
    text,
    tomorrow,
)
from tests.shop import Shop


def test_a_booking_is_held_and_then_confirmed(shop: Shop, room: str) -> None:
    answer = book(shop, room, tomorrow(), note="window, please")
    made = answer.json
    assert (answer.status, answer.headers["location"]) == (201, f"/v1/bookings/{made['id']}")
    assert (made["status"], made["units"], made["price"], made["order_id"]) == ("held", 1, None, None)
    assert made["hold_expires_at"] > made["created_at"]
    confirmed = act(shop, made["id"], "confirm").json
    assert (confirmed["status"], confirmed["hold_expires_at"], confirmed["version"]) == ("confirmed", None, 2)
    assert act(shop, made["id"], "confirm").code == "INVALID_STATE"
    assert act(shop, made["id"], "check-in").json["status"] == "checked_in"
    assert act(shop, made["id"], "cancel").code == "INVALID_STATE"


def test_a_key_books_once(shop: Shop, room: str) -> None:
    first, second = (book(shop, room, tomorrow(), key="k") for _ in range(2))
    assert (second.body, second.headers["idempotent-replayed"]) == (first.body, "true")
    assert book(shop, room, tomorrow() + HOUR, key="k").code == "IDEMPOTENCY_KEY_REUSED"
    body = {"resource_id": room, "starts_at": text(tomorrow()), "ends_at": text(tomorrow() + HOUR)}
    assert shop.post("/bookings", body).code == "IDEMPOTENCY_KEY_REQUIRED"


def test_bookings_may_touch_and_not_overlap(shop: Shop, room: str) -> None:
    start = tomorrow() + timedelta(hours=23)
    booked(shop, room, start, 2 * HOUR)
    second, five = timedelta(seconds=1), timedelta(minutes=5)
    for at in (start - five + second, start - second, start, start + 2 * HOUR - second):
        assert book(shop, room, at, five).code == "SLOT_TAKEN"
    assert book(shop, room, start - HOUR).status == 201
    assert book(shop, room, start + 2 * HOUR).status == 201


def test_a_refusal_names_the_nearest_free_times(shop: Shop) -> None:
    room = resource(shop, slot_minutes=60, capacity=2)
    noon = tomorrow() + timedelta(hours=12)
    booked(shop, room, noon - HOUR, 3 * HOUR, units=2)
    refused = book(shop, room, noon)
    found = [each["detail"][:16] for each in refused.json["errors"] if each["code"] == "FREE_AT"]
    assert (refused.code, refused.pointers[0]) == ("SLOT_TAKEN", "/starts_at")
    assert found == [text(noon + n * HOUR)[:16] for n in (-3, -2, 2, 3)]
    assert book(shop, room, noon + 2 * HOUR).status == 201
    assert book(shop, room, noon + 5 * HOUR, units=3).pointers == ["/starts_at"]


def test_a_hold_ends_without_a_sweep(shop: Shop, room: str, monkeypatch: pytest.MonkeyPatch) -> None:
    start = tomorrow()
    held = booked(shop, room, start)
    assert free(shop, room, start, start + HOUR, minutes=60) == []
    at_later(monkeypatch, lambda: timedelta(minutes=15))
    assert len(free(shop, room, start, start + HOUR, minutes=60)) == 1
    assert act(shop, held, "confirm").code == "INVALID_STATE"
    assert move(shop, held, start + HOUR).code == "INVALID_STATE"
    assert book(shop, room, start).status == 201
    assert status(shop, held) == "held"


def test_a_confirmation_does_not_overtake_another_booking(
    shop: Shop, room: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock of the function that confirms is late: it takes the hold for one that lasts, but its time is taken."""
    held = booked(shop, room, tomorrow())
    with pytest.MonkeyPatch.context() as patch:
        at_later(patch, lambda: timedelta(minutes=15))
        booked(shop, room, tomorrow())
    assert act(shop, held, "confirm").code == "INVALID_STATE"


def test_a_booking_that_is_cancelled_frees_its_time(shop: Shop, room: str) -> None:
    made = booked(shop, room, tomorrow(), 50 * HOUR, confirm=True)
    assert act(shop, made, "cancel").json["status"] == "cancelled"
    assert book(shop, room, tomorrow() + 49 * HOUR).status == 201
    assert act(shop, made, "confirm").code == "INVALID_STATE"


def test_a_move_takes_the_new_time_and_frees_the_old_one(shop: Shop, room: str) -> None:
    start = tomorrow()
    made, other = booked(shop, room, start, 30 * HOUR, confirm=True), booked(shop, room, start + 40 * HOUR)
    assert move(shop, made, start + 39 * HOUR, 2 * HOUR).code == "SLOT_TAKEN"
    moved = move(shop, made, start + 20 * HOUR, 20 * HOUR)
    assert (moved.status, moved.json["version"], moved.json["starts_at"][:13]) == (200, 2, text(start + 20 * HOUR)[:13])
    assert book(shop, room, start, 20 * HOUR).status == 201
    assert book(shop, room, start + 39 * HOUR, timedelta(minutes=1)).code == "SLOT_TAKEN"
    noted = shop.patch(f"/bookings/{other}", {"note": "late"}, '"1"').json
    assert (noted["note"], noted["status"]) == ("late", "held")
    assert shop.patch(f"/bookings/{other}", {"note": None}, '"1"').code == "PRECONDITION_FAILED"
    assert shop.patch(f"/bookings/{other}", {"ends_at": text(start)}, "*").code == "VALIDATION_ERROR"


def test_more_units_are_taken_if_they_are_free(shop: Shop) -> None:
    hall = resource(shop, capacity=10)
    made = booked(shop, hall, tomorrow(), units=4)
    booked(shop, hall, tomorrow(), units=5)
    assert shop.patch(f"/bookings/{made}", {"units": 6}, "*").code == "SLOT_TAKEN"
    assert shop.patch(f"/bookings/{made}", {"units": 5}, "*").json["units"] == 5
    assert free(shop, hall, tomorrow(), tomorrow() + HOUR, minutes=60) == []


def test_buffers_are_taken_too(shop: Shop) -> None:
    room = resource(shop, buffer_before_minutes=10, buffer_after_minutes=20)
    booked(shop, room, tomorrow() + 5 * HOUR)
    assert book(shop, room, tomorrow() + 6 * HOUR + timedelta(minutes=29)).code == "SLOT_TAKEN"
    assert book(shop, room, tomorrow() + 6 * HOUR + timedelta(minutes=30)).status == 201
    assert book(shop, room, tomorrow() + 4 * HOUR - timedelta(minutes=29)).code == "SLOT_TAKEN"
    assert book(shop, room, tomorrow() + 4 * HOUR - timedelta(minutes=30)).status == 201


@pytest.mark.parametrize(
    ("fields", "start", "length", "code"),
    [
        ({"min_minutes": 30}, HOUR, timedelta(minutes=29), "TOO_SHORT"),
        ({"max_minutes": 30}, HOUR, timedelta(minutes=31), "TOO_LONG"),
        ({"lead_minutes": 5 * 1440}, HOUR, HOUR, "TOO_SOON"),
        ({}, timedelta(days=-30), HOUR, "TOO_SOON"),
        ({"horizon_days": 1}, HOUR, HOUR, "TOO_FAR"),
        ({"hours": []}, HOUR, HOUR, "CLOSED"),
        ({"slot_minutes": 30}, timedelta(minutes=45), HOUR, "NOT_ON_SLOT"),
    ],
)
def test_rules_are_kept(shop: Shop, fields: dict[str, Any], start: timedelta, length: timedelta, code: str) -> None:
    room = resource(shop, **fields)
    refused = book(shop, room, tomorrow() + start, length)
    assert (refused.code, [each["code"] for each in refused.json["errors"]]) == ("OUTSIDE_HOURS", [code])


def test_an_archived_resource_keeps_its_bookings_and_takes_no_more(shop: Shop, room: str) -> None:
    made = booked(shop, room, tomorrow())
    assert shop.delete(f"/resources/{room}", '"1"').status == 204
    assert book(shop, room, tomorrow() + HOUR).code == "INVALID_STATE"
    assert act(shop, made, "confirm").status == 200
    assert free(shop, room, tomorrow(), tomorrow() + HOUR) == []


@pytest.mark.parametrize(
    ("per", "minutes", "units", "price"),
    [
        ("booking", 90, 3, "9.99"),
        ("unit", 90, 3, "29.97"),
        ("hour", 90, 1, "14.98"),  # 14.985, half to even
        ("hour", 30, 3, "14.98"),
        ("night", 90, 2, "19.98"),
        ("night", 3 * 1440, 2, "59.94"),
    ],
)
def test_a_price_is_for_what_it_says(shop: Shop, per: str, minutes: int, units: int, price: str) -> None:
    rate = {"per": per, "amount": {"amount": "9.99", "currency": "EUR"}}
    room = resource(shop, capacity=5, price=rate)
    wanted = {"amount": price, "currency": "EUR"}
    length = timedelta(minutes=minutes)
    made = book(shop, room, tomorrow() + HOUR, length, units=units, expected_price=wanted)
    assert made.json["price"] == wanted
    other = {"amount": "0.01", "currency": "EUR"}
    assert book(shop, room, tomorrow() + HOUR, length, expected_price=other).code == "PRICE_CHANGED"


def test_customers_book_for_themselves(shop: Shop, room: str) -> None:
    jane, joe = shop.acting_as("customer"), shop.acting_as("customer")
    made = booked(jane, room, tomorrow())
    assert shop.get(f"/bookings/{made}").json["customer_id"] == jane.user
    for answer in (joe.get(f"/bookings/{made}"), act(joe, made, "cancel"), move(joe, made, tomorrow())):
        assert answer.code == "NOT_FOUND"
    assert book(joe, room, tomorrow() + HOUR, customer_id=jane.user).code == "FORBIDDEN"
    assert book(shop, room, tomorrow() + HOUR, customer_id=jane.user).json["customer_id"] == jane.user
    assert act(jane, made, "check-in").code == "FORBIDDEN"
    assert jane.get("/bookings?customer_id=" + joe.user).code == "FORBIDDEN"
    assert [len(each.get("/bookings").json["items"]) for each in (jane, joe, shop)] == [2, 0, 2]
    assert act(jane, made, "confirm").status == 200
    assert shop.acting_as("customer").post("/resources", {"name": "Mine"}).code == "FORBIDDEN"


def test_customers_do_not_confirm_what_has_a_price(shop: Shop) -> None:
    room = resource(shop, price=EUROS)
    jane = shop.acting_as("customer")
    assert book(jane, room, tomorrow(), confirm=True).code == "FORBIDDEN"
    made = booked(jane, room, tomorrow())
    assert act(jane, made, "confirm").code == "FORBIDDEN"
    assert act(shop, made, "confirm").status == 200
    assert move(jane, made, tomorrow(), 2 * HOUR).code == "PRICE_CHANGED"
    assert move(jane, made, tomorrow() + HOUR).status == 200
    assert move(shop, made, tomorrow(), 2 * HOUR).json["price"]["amount"] == "20.00"


def test_bookings_are_listed_newest_first_and_those_of_a_resource_by_time(shop: Shop, room: str) -> None:
    other, start, jane = resource(shop, capacity=9), tomorrow(), shop.acting_as("customer")
    made = [booked(shop, room, start + n * HOUR) for n in (3, 1, 2)]
    there = [booked(jane, other, start + n * timedelta(days=1), 3 * 24 * HOUR) for n in (2, 0, 1)]
    act(shop, made[1], "cancel")
    assert ids(shop.walk(2, "/bookings?")) == [*reversed(there), *reversed(made)]
    assert ids(shop.walk(1, f"/bookings?resource_id={room}")) == [made[2], made[0]]
    assert ids(shop.walk(1, f"/bookings?resource_id={other}")) == [there[1], there[2], there[0]]
    query = f"from={text(start + 2 * HOUR)}&to={text(start + 3 * HOUR)}"
    assert ids(shop.walk(9, f"/bookings?{query}")) == [there[1], made[2]]
    assert ids(shop.walk(9, f"/bookings?{query}&resource_id={room}")) == [made[2]]
    query = f"from={text(start + 72 * HOUR)}&resource_id={other}"
    assert ids(shop.walk(1, f"/bookings?{query}")) == [there[2], there[0]]
    assert ids(jane.walk(2, f"/bookings?resource_id={other}")) == [there[1], there[2], there[0]]
    assert shop.get(f"/bookings?resource_id={room}&customer_id={jane.user}").json["items"] == []
    assert shop.get("/bookings?resource_id=resource_01JD3ZK8Q4M5X6Y7Z8A9B0C1D9").code == "NOT_FOUND"
    assert shop.get(f"/bookings?from={text(start)}&to={text(start - HOUR)}").code == "VALIDATION_ERROR"


def test_a_tenant_does_not_see_the_bookings_of_another(shop: Shop, room: str) -> None:
    made = booked(shop, room, tomorrow())
    other = Shop(shop.send)
    assert other.get(f"/bookings/{made}").code == other.get(f"/resources/{room}").code == "NOT_FOUND"
    assert book(other, room, tomorrow()).code == "NOT_FOUND"
    assert other.get("/bookings").json["items"] == other.get("/resources").json["items"] == []
