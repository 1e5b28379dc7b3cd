"""Tests of the limits of bookings: long ones, those that have begun, many, and far away."""

from datetime import timedelta

import pytest

from domain.common.environment import now
from tests.faults import torn
from tests.integration.bookings.common import (
    HOUR,
    act,
    book,
    booked,
    free,
    ids,
    move,
    resource,
    tomorrow,
)
from tests.integration.bookings.conftest import Clock
from tests.shop import Shop


def test_long_bookings_take_long_pages(shop: Shop) -> None:
    flat = resource(shop, max_minutes=400 * 1440, horizon_days=1000)
    made = booked(shop, flat, tomorrow(), timedelta(days=400))
    assert book(shop, flat, tomorrow() + timedelta(days=399)).code == "SLOT_TAKEN"
    assert act(shop, made, "cancel").status == 200
    assert book(shop, flat, tomorrow() + timedelta(days=399)).status == 201
    short = resource(shop)
    refused = shop.patch(f"/resources/{short}", {"max_minutes": 89 * 1440}, "*")
    assert (refused.code, refused.pointers) == ("VALIDATION_ERROR", ["/max_minutes"])


def test_what_is_moved_too_far_at_once_is_refused(shop: Shop) -> None:
    flat = resource(shop, max_minutes=88 * 1440)
    made = booked(shop, flat, tomorrow(), timedelta(days=60))
    assert move(shop, made, tomorrow() + timedelta(days=80), timedelta(days=60)).code == "INVALID_STATE"
    assert move(shop, made, tomorrow() + timedelta(days=20), timedelta(days=60)).status == 200


def test_customers_do_not_move_or_cancel_what_has_begun(shop: Shop, room: str, clock: Clock) -> None:
    jane, start = shop.acting_as("customer"), now().replace(microsecond=0) + timedelta(seconds=20)
    made = booked(jane, room, start, confirm=True)
    clock.ahead = timedelta(minutes=1)
    assert move(jane, made, tomorrow()).code == act(jane, made, "cancel").code == "INVALID_STATE"
    assert move(shop, made, tomorrow()).status == 200
    assert move(jane, made, tomorrow() + HOUR).status == 200


def test_units_change_within_the_rules(shop: Shop) -> None:
    hall = resource(shop, capacity=5)
    made = booked(shop, hall, tomorrow(), units=4)
    shop.patch(f"/resources/{hall}", {"capacity": 2, "buffer_after_minutes": 60}, "*")
    booked(shop, resource(shop), tomorrow())
    assert shop.patch(f"/bookings/{made}", {"units": 3}, "*").json["units"] == 3
    assert shop.patch(f"/bookings/{made}", {"units": 4}, "*").code == "SLOT_TAKEN"
    assert shop.patch(f"/bookings/{made}", {"units": 1}, "*").status == 200
    assert book(shop, hall, tomorrow() + HOUR, units=2).status == 201  # the buffers are those of before
    shop.delete(f"/resources/{hall}", "*")
    assert shop.patch(f"/bookings/{made}", {"units": 2}, "*").code == "INVALID_STATE"


def test_a_list_of_a_calendar_examines_so_much_at_a_time(
    shop: Shop, room: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("repositories.bookings.listing.MAX_EXAMINED", 2)
    jane = shop.acting_as("customer")
    for n in range(5):
        booked(shop, room, tomorrow() + n * HOUR)
    mine = booked(jane, room, tomorrow() + 9 * HOUR)
    first = jane.get(f"/bookings?resource_id={room}").json
    assert (first["items"], first["next_cursor"] is None) == ([], False)
    assert ids(jane.walk(5, f"/bookings?resource_id={room}")) == [mine]


def test_a_refusal_rests_on_one_moment(shop: Shop, rival: Shop, room: str) -> None:
    """The pages are read before a cancellation is visible: the refusal would be kept for its key."""
    taken = booked(shop, room, tomorrow())
    with torn(lambda: act(rival, taken, "cancel"), lambda _: [], at=1):
        assert book(shop, room, tomorrow()).status == 201


FAR = [("0001-01-01", "1960-01-01"), ("0001-01-01", "0001-01-02"), ("9999-12-01", "9999-12-31")]


@pytest.mark.parametrize(("begin", "end"), FAR)
def test_times_far_away_are_no_error(shop: Shop, begin: str, end: str) -> None:
    for days in (10, 400):
        room = resource(shop, max_minutes=days * 1440)
        for query in (f"to={end}", f"from={begin}&to={end}"):
            listed = shop.get(f"/bookings?resource_id={room}&{query}")
            assert (listed.status, listed.json["items"]) == (200, [])
        assert shop.get(f"/resources/{room}/availability?from={begin}&to={end}").status in {200, 400}


def test_long_bookings_are_available(shop: Shop) -> None:
    flat = resource(shop, min_minutes=90 * 1440, max_minutes=400 * 1440)
    assert len(free(shop, flat, tomorrow(), tomorrow() + timedelta(days=30))) == 1
