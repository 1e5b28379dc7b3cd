"""Tests of opening hours, calendars and free times against models that look at every minute."""

import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.bookings.calendar import Entry, Taken, pages_of, peak, seconds
from domain.bookings.hours import OpeningException, Span, Weekday, WeeklyHours
from domain.bookings.prices import price_of
from domain.bookings.resources import NewResource, Per, Price, Resource
from domain.bookings.slots import Wish, free_slots
from domain.common.money import Money

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
CHANGES = {
    "Europe/Berlin": [date(2027, 3, 28), date(2027, 10, 31)],
    "America/New_York": [date(2027, 3, 14), date(2027, 11, 7)],
    "Australia/Lord_Howe": [date(2027, 4, 4), date(2027, 10, 3)],  # by half an hour
    "Asia/Kathmandu": [date(2027, 6, 1)],  # 5:45, never changes
}
"""Dates on which clocks change, by zone."""
DATES = [(zone, day) for zone, days in CHANGES.items() for day in days]


def resource(**fields: Any) -> Resource:
    return Resource.new(
        "resource_01JD3ZK8Q4M5X6Y7Z8A9B0C1D2", NewResource(name="Room", **fields), datetime(2027, 1, 1, tzinfo=UTC)
    )


def walls(earliest: int, latest: int) -> st.SearchStrategy[str]:
    """Return wall times that exist once on each day: clocks change between 1:00 and 3:00."""
    hours = st.integers(earliest, latest).filter(lambda hour: hour not in {1, 2})
    return st.builds(
        lambda hour, minute: f"{hour:02}:{0 if hour == 24 else minute:02}", hours, st.sampled_from((0, 15))
    )


RANGES = st.tuples(walls(0, 22), walls(3, 24)).filter(lambda pair: pair[0] < pair[1])
WEEKLY = st.builds(
    lambda days, pair: WeeklyHours(days=days, opens=pair[0], closes=pair[1]),
    st.lists(st.sampled_from(Weekday), min_size=1, max_size=4),
    RANGES,
)


@st.composite
def opened(draw: st.DrawFn) -> tuple[Resource, date]:
    """Draw a resource with rules, and a day on which the clocks of its zone change."""
    zone, day = draw(st.sampled_from(DATES))
    drawn = draw(st.lists(st.tuples(st.integers(-1, 1), st.none() | RANGES), max_size=3))
    exceptions = [
        OpeningException(date=day + timedelta(days=each), opens=pair[0], closes=pair[1])
        if pair
        else OpeningException(date=day + timedelta(days=each), closed=True)
        for each, pair in drawn
    ]
    return resource(timezone=zone, hours=draw(st.lists(WEEKLY, max_size=4)), exceptions=exceptions), day


def is_open(room: Resource, at: datetime) -> bool:
    """Return whether a resource is open, by its wall clock."""
    local = at.astimezone(room.zone)
    wall, weekday = f"{local:%H:%M}", list(Weekday)[local.weekday()]
    special = [each for each in room.exceptions if each.date == local.date()]
    if special:
        return any(each.opens <= wall < each.closes for each in special if each.opens and each.closes)
    return any(each.opens <= wall < each.closes for each in room.hours if weekday in each.days)


@given(opened(), st.integers(0, 3 * 96), st.integers(1, 200))
def test_opening_hours_are_what_the_wall_clock_shows(drawn: tuple[Resource, date], first: int, length: int) -> None:
    room, day = drawn
    start = datetime(day.year, day.month, day.day, tzinfo=room.zone).astimezone(UTC) - DAY + first * 15 * MINUTE
    during = Span(start, start + length * 15 * MINUTE)
    quarters = [during.start + n * 15 * MINUTE for n in range(length)]
    assert room.is_open(during) == all(is_open(room, each) for each in quarters)


@pytest.mark.parametrize(
    ("day", "opens", "begins"), [("2027-03-28", "02:30", "01:30"), ("2027-10-31", "02:30", "00:30")]
)
def test_a_wall_time_that_is_missing_or_there_twice_has_one_instant(day: str, opens: str, begins: str) -> None:
    """Berlin's clocks go forward at 1:00 UTC in March, and back at 1:00 UTC in October (RFC 5545, section 3.3.5)."""
    exception = OpeningException(date=date.fromisoformat(day), opens="02:30", closes="12:00")
    room = resource(timezone="Europe/Berlin", hours=[], exceptions=[exception])
    midnight = datetime.fromisoformat(f"{day}T00:00:00+00:00")
    [span] = room.opening(Span(midnight, midnight + DAY))
    assert f"{span.start:%H:%M}" == begins


ENTRIES = st.lists(
    st.builds(
        lambda start, length, units, n: Entry(start, start + length, units, f"b{n}"),
        st.integers(0, 60),
        st.integers(1, 30),
        st.integers(1, 5),
        st.integers(0, 1000),
    ),
    max_size=12,
)


@given(ENTRIES, st.integers(0, 90), st.integers(1, 60))
def test_the_peak_is_the_most_at_any_second(entries: list[Entry], start: int, length: int) -> None:
    at_each = [
        sum(each.units for each in entries if each.start <= at < each.end) for at in range(start, start + length)
    ]
    assert peak(entries, start, start + length) == max(at_each)
    assert Taken(entries).peak(start, start + length) == max(at_each)


@given(st.integers(-10, 10), st.integers(1, 5 * 86_400), st.sampled_from([1, 32]))
def test_a_span_touches_the_pages_that_it_has_a_second_of(start: int, length: int, days: int) -> None:
    begins = datetime(2027, 1, 1, tzinfo=UTC) + timedelta(seconds=start)
    span = Span(begins, begins + timedelta(seconds=length))
    pages = {
        second // (days * 86_400)
        for second in (*range(seconds(span.start), seconds(span.end), 3599), seconds(span.end) - 1)
    }
    assert set(pages_of(span, days)) == pages


@given(
    opened(),
    st.lists(st.tuples(st.integers(0, 300), st.integers(1, 40), st.integers(1, 3)), max_size=8),
    st.sampled_from([None, 15, 60]),
    st.integers(0, 2),
    st.integers(1, 12),
    st.integers(1, 3),
)
def test_free_times_are_those_of_the_model(
    drawn: tuple[Resource, date],
    taken: Sequence[tuple[int, int, int]],
    slot: int | None,
    buffer: int,
    length: int,
    units: int,
) -> None:
    """With slots, exactly the times that the model has room for; without, such times, and all if there is one."""
    room = drawn[0].model_copy(update={"capacity": 3, "slot_minutes": slot, "buffer_after_minutes": buffer * 15})
    day, quarter = drawn[1], 15 * MINUTE
    start = datetime(day.year, day.month, day.day, tzinfo=room.zone).astimezone(UTC) - DAY
    entries = [
        Entry(seconds(start + a * quarter), seconds(start + (a + n) * quarter), u, f"b{i}")
        for i, (a, n, u) in enumerate(taken)
    ]
    within = Span(start, start + 3 * DAY)
    found = free_slots(room, entries, Wish(length * quarter, units), within, start)

    def fits(at: datetime) -> bool:
        minutes = [at + n * quarter for n in range(length + buffer)]
        used = [sum(e.units for e in entries if e.start <= seconds(each) < e.end) for each in minutes]
        opens = all(is_open(room, each) for each in minutes[:length])
        return opens and max(used) + units <= room.capacity

    starts = [each.starts_at for each in found]
    possible = [at for at in (start + n * quarter for n in range(3 * 96)) if fits(at)]
    assert set(starts) <= set(possible)
    if slot:
        on_slot = [at for at in possible if room.is_on_slot(Span(at, at + quarter))]
        assert starts == on_slot
    assert bool(starts) == bool(possible if slot is None else starts)


@pytest.mark.parametrize(
    ("start", "end", "nights"),
    [
        ("2027-03-27T14:00:00+01:00", "2027-03-28T10:00:00+02:00", 1),
        ("2027-10-30T23:30:00+02:00", "2027-10-31T23:30:00+01:00", 1),
        ("2027-03-27T00:30:00+01:00", "2027-03-27T23:30:00+01:00", 1),
        ("2027-03-26T23:59:00+01:00", "2027-03-29T00:01:00+02:00", 3),
    ],
)
def test_nights_are_dates_of_the_zone_and_not_hours(start: str, end: str, nights: int) -> None:
    price = Price(per=Per.NIGHT, amount=Money.of_minor(1000, "EUR"))
    room = resource(timezone="Europe/Berlin", price=price, capacity=2)
    during = Span(*(datetime.fromisoformat(each).astimezone(UTC) for each in (start, end)))
    assert price_of(room, during, 2) == Money.of_minor(2000 * nights, "EUR")


def test_zones_are_those_of_the_package() -> None:
    """The runtime of Lambda may have no time zones, or old ones."""
    script = "import zoneinfo; zoneinfo.reset_tzpath(()); print(zoneinfo.ZoneInfo('Europe/Berlin').key)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "Europe/Berlin\n"
