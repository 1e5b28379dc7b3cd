"""Tests of bookings at once: one resource, many callers, in this process and in another."""

from collections import Counter
from datetime import timedelta
from random import Random

import pytest

from domain.bookings.calendar import Entry, peak, seconds
from tests.faults import interleaved
from tests.integration.bookings.common import (
    EUROS,
    HOUR,
    act,
    at_later,
    book,
    booked,
    move,
    order_of,
    resource,
    status,
    tomorrow,
)
from tests.shop import Shop, race


@pytest.mark.parametrize("capacity", [1, 20])
def test_thirty_two_callers_never_take_more_than_there_is(served: Shop, capacity: int) -> None:
    """Over HTTP, from 32 threads."""
    room = resource(served, capacity=capacity)
    accepted: list[Entry] = []

    def trade(number: int) -> list[str]:
        chance, codes = Random(number), []
        for _ in range(4):
            start = tomorrow() + timedelta(minutes=chance.randrange(0, 48 * 60))
            length, units = timedelta(minutes=chance.randrange(1, 300)), chance.randint(1, max(1, capacity // 4))
            answer = book(served, room, start, length, units=units)
            codes.append(answer.code)
            if answer.status == 201:
                accepted.append(Entry(seconds(start), seconds(start + length), units, answer.json["id"]))
        return codes

    found = Counter(code for codes in race(32, trade) for code in codes)
    assert set(found) <= {"", "SLOT_TAKEN", "CONTENTION"}
    assert found[""] == len(accepted) > 5
    assert peak(accepted, seconds(tomorrow()), seconds(tomorrow() + timedelta(days=3))) <= capacity


@pytest.mark.parametrize("other", ["book", "move", "order"])
def test_the_second_of_two_sees_what_the_first_took(shop: Shop, rival: Shop, other: str) -> None:
    """Another command takes the time between the reads and the transaction of a booking."""
    room = resource(shop, price=EUROS)
    elsewhere = booked(shop, room, tomorrow() + 30 * HOUR)

    def take() -> None:
        if other == "book":
            assert book(rival, room, tomorrow()).status == 201
        elif other == "move":
            assert move(rival, elsewhere, tomorrow()).status == 200
        else:
            assert order_of(rival, elsewhere).status == 201

    with interleaved(take):
        answer = book(shop, room, tomorrow())
    assert answer.status == (201 if other == "order" else 409)


def test_a_hold_is_confirmed_or_taken_and_not_both(shop: Shop, rival: Shop) -> None:
    """One function confirms; for the clock of the other, which is ahead, the hold has ended."""
    room = resource(shop)
    for taken_first in (False, True):
        start = tomorrow() + (5 * HOUR if taken_first else timedelta())
        held = booked(shop, room, start)
        if taken_first:
            with interleaved(lambda: act(rival, held, "confirm")), pytest.MonkeyPatch.context() as patch:  # noqa: B023
                at_later(patch, lambda: timedelta(minutes=15))
                assert book(shop, room, start).code == "SLOT_TAKEN"
            assert status(shop, held) == "confirmed"
        else:
            with pytest.MonkeyPatch.context() as patch:
                at_later(patch, lambda: timedelta(minutes=15))
                other = booked(shop, room, start)
            assert act(rival, held, "confirm").code == "INVALID_STATE"
            assert (status(shop, held), status(shop, other)) == ("held", "held")


def test_an_order_is_paid_while_its_booking_moves(shop: Shop, rival: Shop) -> None:
    room = resource(shop, price=EUROS)
    made = booked(shop, room, tomorrow())
    order = order_of(shop, made).json["id"]
    with interleaved(lambda: move(rival, made, tomorrow() + 40 * HOUR)):
        assert shop.pay(order).status == 201
    shown = shop.get(f"/bookings/{made}").json
    assert (shown["status"], shown["starts_at"][11:16], shown["version"]) == ("confirmed", "16:00", 4)


def test_an_order_is_cancelled_while_its_booking_moves(shop: Shop, rival: Shop) -> None:
    room = resource(shop, price=EUROS)
    made = booked(shop, room, tomorrow())
    order = order_of(shop, made).json["id"]
    with interleaved(lambda: move(rival, made, tomorrow() + 40 * HOUR)):
        assert shop.move(order, "cancel").status == 200
    assert status(shop, made) == "cancelled"
    assert book(shop, room, tomorrow() + 40 * HOUR).status == 201


def test_one_booking_is_ordered_once(shop: Shop, rival: Shop) -> None:
    made = booked(shop, resource(shop, price=EUROS), tomorrow())
    with interleaved(lambda: order_of(rival, made)):
        assert order_of(shop, made).code == "INVALID_STATE"
    assert len(shop.walk(9, "/orders?")) == 1
