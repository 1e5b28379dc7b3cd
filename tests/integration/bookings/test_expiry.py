"""Tests of the work list: it gives bookings the status that time has given them."""

from datetime import timedelta

import pytest

from domain.common.environment import now
from tests.faults import interleaved
from tests.integration.bookings.common import HOUR, act, booked, resource, status, tomorrow
from tests.integration.bookings.conftest import Clock
from tests.shop import Shop

QUARTER = timedelta(minutes=15)


def test_a_hold_that_ended_expires_and_one_that_was_confirmed_does_not(shop: Shop, clock: Clock) -> None:
    room = resource(shop)
    held, confirmed = (booked(shop, room, tomorrow() + n * HOUR) for n in range(2))
    act(shop, confirmed, "confirm")
    clock.ahead = QUARTER - timedelta(seconds=5)
    assert clock.sweep()["bookings"] == 0
    clock.ahead = QUARTER
    assert [clock.sweep()["bookings"] for _ in range(2)] == [1, 0]
    assert [status(shop, each) for each in (held, confirmed)] == ["expired", "confirmed"]
    assert act(shop, held, "cancel").code == "INVALID_STATE"


def test_a_booking_that_was_checked_in_is_done_at_its_end(shop: Shop, clock: Clock) -> None:
    room = resource(shop)
    start = now().replace(microsecond=0) + timedelta(seconds=30)
    made, missed = (booked(shop, room, start + n * HOUR, confirm=True) for n in range(2))
    act(shop, made, "check-in")
    assert act(shop, missed, "no-show").json["status"] == "no_show"
    clock.ahead = HOUR
    assert clock.sweep()["bookings"] == 0
    clock.ahead = 2 * HOUR
    assert clock.sweep()["bookings"] == 1
    assert [status(shop, each) for each in (made, missed)] == ["done", "no_show"]


@pytest.mark.parametrize("first", ["confirm", "sweep"])
def test_a_confirmation_and_the_sweep_exclude_each_other(shop: Shop, rival: Shop, clock: Clock, first: str) -> None:
    """Their clocks differ: for one of them the hold has ended, for the other it has not."""
    held = booked(shop, resource(shop), tomorrow())

    def sweep() -> None:
        clock.ahead = QUARTER
        clock.sweep()
        clock.ahead = timedelta()

    if first == "confirm":
        with interleaved(lambda: act(rival, held, "confirm")):
            sweep()
        assert status(shop, held) == "confirmed"
    else:
        with interleaved(sweep):
            assert act(shop, held, "confirm").code == "INVALID_STATE"
        assert status(shop, held) == "expired"


def test_a_booking_that_is_checked_in_late_is_done_too(shop: Shop, clock: Clock) -> None:
    """Sweeps have passed the minute of its end."""
    start = now().replace(microsecond=0) + timedelta(seconds=30)
    made = booked(shop, resource(shop), start, confirm=True)
    clock.ahead = 5 * HOUR
    clock.sweep()
    act(shop, made, "check-in")
    clock.ahead += timedelta(minutes=1)
    assert clock.sweep()["bookings"] == 1
    assert status(shop, made) == "done"
