"""Tests of the work list with more work than one sweep can do, on a table in memory and a clock that the work moves."""

from bisect import bisect_left, bisect_right, insort
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from domain.common.environment import Environment, using
from repositories.dynamodb import keys, work_keys
from repositories.dynamodb.codec import Row, decode
from repositories.dynamodb.keys import Key
from repositories.dynamodb.table import QueryPage
from repositories.dynamodb.work_keys import DueRow
from repositories.dynamodb.work_list import Swept, Work, sweep

NOON = datetime(2026, 11, 20, 12, 7, 30, tzinfo=UTC)
DEADLINE = 17.0
CALL, WORK = 0.0005, 0.001
"""Seconds that a query and one row's work take, on average, eight at a time."""


class Clock(Environment):
    """Environment in which only work takes time."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds

    def in_parallel[A, R](self, call: Callable[[A], R], arguments: Iterable[A]) -> list[R]:
        return [call(argument) for argument in arguments]


class DueTable:
    """The index of due work, and the marks."""

    name = "table"

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.marks: dict[Key, Row] = {}
        self.queries = 0
        self._sks: dict[str, list[str]] = defaultdict(list)

    def add(self, place: Mapping[str, str]) -> None:
        insort(self._sks[place["gsi3pk"]], place["gsi3sk"])

    def remove(self, pk: str, sk: str) -> None:
        found = self._sks[pk]
        del found[bisect_left(found, sk)]

    def get(self, key: Key) -> Row | None:
        return self.marks.get(key)

    def created_at(self) -> datetime:
        return NOON - timedelta(days=1)

    def put(self, row: Row, _condition: str, _values: Mapping[str, Any]) -> None:
        self.marks[Key(row["pk"], row["sk"])] = row

    def query(self, _condition: str, values: Mapping[str, Any], *, index: str, limit: int) -> QueryPage:
        assert index == "gsi3"
        self.queries += 1
        self.clock.seconds += CALL
        sks = self._sks[values[":pk"]]
        first, last = bisect_left(sks, values[":after"]), bisect_right(sks, values[":until"])
        found = sks[first : min(last, first + limit)]
        rows = [{"pk": f"T#t#ORDER#{sk[25:]}", "sk": "ORDER", "gsi3pk": values[":pk"], "gsi3sk": sk} for sk in found]
        return QueryPage(rows, more=last - first > limit)

    def transact(self, actions: Sequence[Any], _token: str) -> list[Any]:
        [action] = actions
        values = decode(action["Update"]["ExpressionAttributeValues"])
        [pk] = [pk for pk, sks in self._sks.items() if values[":due"] in sks]
        self.remove(pk, values[":due"])
        self.add({"gsi3pk": values[":gsi3pk"], "gsi3sk": values[":gsi3sk"]})
        return []

    @property
    def left(self) -> int:
        return sum(map(len, self._sks.values()))


class Shop:
    """Work that takes its time, on rows of which some always fail."""

    def __init__(self, count: int, minutes: int, poisoned: set[str]) -> None:
        self.clock = Clock()
        self.table = DueTable(self.clock)
        self.done: Counter[str] = Counter()
        self.attempts: dict[str, list[datetime]] = defaultdict(list)
        self.poisoned = poisoned
        first = NOON - timedelta(minutes=minutes)
        for number in range(count):
            at = first + timedelta(minutes=minutes) * number / count
            self.table.add(work_keys.due(Work.HOLD, f"order_{number:07}", at))

    def do(self, row: DueRow) -> bool:
        self.clock.seconds += WORK
        if row.id in self.poisoned:
            self.attempts[row.id].append(self.at)
            raise ValueError(row.id)
        self.done[row.id] += 1
        self.table.remove(*row.due)
        return True

    def sweep(self, at: datetime) -> Swept:
        self.at = at
        with using(self.clock):
            return sweep(self.table, Work.HOLD, self.do, at, self.clock.seconds + DEADLINE)  # type: ignore[arg-type]


@pytest.mark.parametrize("minutes", [1, 50, 1435], ids=["in a minute", "in an hour", "in a day"])
def test_a_quarter_of_a_million_due_rows_and_some_that_fail_are_worked_off(minutes: int) -> None:
    count, poisoned = 250_000, {"order_0000000", "order_0123456"}
    shop = Shop(count, minutes, poisoned)
    at, marks = NOON, []
    while sum(shop.done.values()) < count - len(poisoned):
        started, queries, done = shop.clock.seconds, shop.table.queries, sum(shop.done.values())
        swept = shop.sweep(at)
        marks.append(swept.mark)
        # Work begins after a chunk was read, not after the whole backlog, and ends in time.
        assert shop.clock.seconds - started <= DEADLINE + 100 * WORK
        assert sum(shop.done.values()) - done >= 10_000 or swept.in_time
        assert shop.table.queries - queries < 15_000
        at += timedelta(minutes=1)
        assert len(marks) < 40
    assert set(shop.done.values()) == {1}
    assert marks == sorted(marks)
    for order_id in poisoned:
        pauses = [later - earlier for earlier, later in pairwise(shop.attempts[order_id])]
        assert all(pause >= timedelta(minutes=2**count) for count, pause in enumerate(pauses, 1))
    assert shop.table.left == len(poisoned)
    assert shop.sweep(at).in_time


def test_the_mark_is_kept_for_each_chunk_that_was_finished() -> None:
    """A sweep that runs out of time goes on where it stopped, not at the beginning."""
    shop = Shop(60_000, 600, set())
    first = shop.sweep(NOON)
    assert not first.in_time
    assert first.mark > NOON - timedelta(minutes=600)
    [row] = shop.table.marks.values()
    assert row["sweep_minute"] == first.mark.isoformat()


def test_a_row_that_cannot_be_read_is_put_off_like_one_that_fails() -> None:
    shop = Shop(0, 1, {""})
    pk = work_keys.due(Work.HOLD, "x", NOON)["gsi3pk"]
    shop.table.add({"gsi3pk": pk, "gsi3sk": "2026-11-20T"})
    assert shop.sweep(NOON).failed[""].count == 1
    assert shop.sweep(NOON + timedelta(minutes=1)).failed == {}
    assert shop.sweep(NOON + timedelta(minutes=2)).failed[""].count == 2


def test_a_kind_of_work_has_a_mark_of_its_own() -> None:
    assert keys.sweep_mark(Work.HOLD) != keys.sweep_mark("OTHER")
    assert not set(work_keys.due_pks(Work.HOLD, NOON)) & set(work_keys.due_pks("OTHER", NOON))
