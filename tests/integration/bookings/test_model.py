"""Bookings against a model that counts units minute by minute: never too many, and no refusal where there is room."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.common.environment import now
from tests.integration.bookings.common import act, at_later, book, move, resource, tomorrow
from tests.shop import Answer, Shop

STEP = timedelta(minutes=20)
"""Times are multiples of it, from the evening on, so that midnight in UTC, where a page ends, is among them."""
STEPS = 24
HOLD = timedelta(minutes=15)


@dataclass
class Taken:
    """What a booking takes, as numbers of steps, and when its hold ends."""

    start: int
    end: int
    units: int
    until: timedelta | None
    ended: bool = False

    def counts(self, at: timedelta) -> bool:
        return not self.ended and (self.until is None or self.until > at)


class Model:
    """A resource and its bookings, counted step by step."""

    def __init__(self, shop: Shop, capacity: int, before: int, after: int) -> None:
        self.shop, self.capacity, self.before, self.after = shop, capacity, before, after
        minutes = STEP // timedelta(minutes=1)
        buffers = {"buffer_before_minutes": before * minutes, "buffer_after_minutes": after * minutes}
        self.room = resource(shop, capacity=capacity, **buffers)
        self.origin: datetime = tomorrow() + timedelta(hours=20)
        self.ahead = timedelta()
        self.taken: dict[str, Taken] = {}

    def has_room(self, start: int, length: int, units: int, but: str = "") -> bool:
        others = [each for name, each in self.taken.items() if name != but and each.counts(self.ahead)]
        return all(
            units + sum(each.units for each in others if each.start <= step < each.end) <= self.capacity
            for step in range(start - self.before, start + length + self.after)
        )

    def _taken(self, start: int, length: int, units: int, until: timedelta | None) -> Taken:
        return Taken(start - self.before, start + length + self.after, units, until)

    def book(self, start: int, length: int, units: int, confirm: bool) -> None:
        answer = book(self.shop, self.room, self.at(start), length * STEP, units=units, confirm=confirm)
        self.expect(answer, self.has_room(start, length, units))
        if answer.status == 201:
            until = None if confirm else self.ahead + HOLD
            self.taken[answer.json["id"]] = self._taken(start, length, units, until)

    def move(self, number: int, start: int, length: int, units: int) -> None:
        name, before = self.pick(number)
        answer = move(self.shop, name, self.at(start), length * STEP, units=units)
        if not before.counts(self.ahead):
            assert answer.code == "INVALID_STATE", answer.body
            return
        self.expect(answer, self.has_room(start, length, units, but=name))
        if answer.status == 200:
            self.taken[name] = self._taken(start, length, units, before.until)

    def confirm(self, number: int) -> None:
        name, before = self.pick(number)
        answer = act(self.shop, name, "confirm")
        if before.until is not None and before.counts(self.ahead):
            assert answer.status == 200, answer.body
            before.until = None
        else:
            assert answer.code == "INVALID_STATE", answer.body

    def cancel(self, number: int) -> None:
        name, before = self.pick(number)
        assert act(self.shop, name, "cancel").status == (409 if before.ended else 200)
        before.ended = True

    def wait(self, minutes: int) -> None:
        self.ahead += timedelta(minutes=minutes)

    def pick(self, number: int) -> tuple[str, Taken]:
        return [*self.taken.items()][number % len(self.taken)]

    def at(self, step: int) -> datetime:
        return self.origin + step * STEP

    def expect(self, answer: Answer, has_room: bool) -> None:
        assert answer.code == ("" if has_room else "SLOT_TAKEN"), (answer.body, self.taken)


STARTS, LENGTHS = st.integers(0, STEPS), st.integers(1, 8)
NUMBERS = st.integers(0, 99)


def acts(capacity: int) -> st.SearchStrategy[tuple[Any, ...]]:
    units = st.integers(1, max(1, capacity // 2))
    booking = st.tuples(st.just("book"), STARTS, LENGTHS, units, st.booleans())
    return st.one_of(
        booking,
        booking,
        st.tuples(st.just("move"), NUMBERS, STARTS, LENGTHS, units),
        st.tuples(st.sampled_from(["confirm", "cancel"]), NUMBERS),
        st.tuples(st.just("wait"), st.sampled_from([5, 10, 20])),
    )


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> list[Model]:
    """A place for the model whose time requests have."""
    models: list[Model] = []
    at_later(monkeypatch, lambda: models[-1].ahead if models else timedelta())
    return models


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data(), st.sampled_from([1, 2, 3, 7, 20]), st.integers(0, 2), st.integers(0, 1))
def test_there_is_room_when_the_model_says_so(
    shop: Shop, later: list[Model], data: st.DataObject, capacity: int, before: int, after: int
) -> None:
    model = Model(shop, capacity, before, after)
    later.append(model)
    for name, *arguments in data.draw(st.lists(acts(capacity), min_size=5, max_size=20)):
        if model.taken or name in {"book", "wait"}:
            getattr(model, name)(*arguments)
    assert now() < model.origin
