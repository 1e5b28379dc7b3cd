"""Tests of resources and of the times at which they are free."""

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from domain.bookings.hours import Weekday
from tests.faults import interleaved
from tests.integration.bookings.common import EUROS, HOUR, booked, free, resource, text, tomorrow
from tests.integration.bookings.test_calendars import read
from tests.shop import Shop

BERLIN = ZoneInfo("Europe/Berlin")


def times(slots: list[dict[str, Any]], zone: ZoneInfo = BERLIN) -> list[str]:
    found = (datetime.fromisoformat(each["starts_at"]).astimezone(zone) for each in slots)
    return [f"{each:%a %H:%M}" for each in found]


def next_monday() -> datetime:
    day = date.today() + timedelta(days=7 - date.today().weekday() + 7)
    return datetime(day.year, day.month, day.day, tzinfo=BERLIN)


def test_a_resource_is_made_read_changed_and_archived(shop: Shop) -> None:
    answer = shop.post("/resources", {"name": "Room"})
    made = answer.json
    assert (answer.status, answer.headers["location"]) == (201, f"/v1/resources/{made['id']}")
    assert (made["capacity"], made["timezone"], made["price"], made["status"]) == (1, "UTC", None, "active")
    path = f"/resources/{made['id']}"
    assert shop.get(path).etag == '"1"'
    hours = [{"days": ["mon"], "from": "09:00", "to": "24:00"}]
    changed = shop.patch(path, {"price": EUROS, "hours": hours, "capacity": 3}, '"1"').json
    assert (changed["price"], changed["hours"], changed["version"]) == (EUROS, hours, 2)
    assert shop.patch(path, {"price": None}, '"1"').code == "PRECONDITION_FAILED"
    assert shop.patch(path, {"price": {"amount": {"amount": "12"}}}, '"2"').json["price"]["amount"]["amount"] == "12.00"
    assert shop.patch(path, {"price": None}, '"3"').json["price"] is None
    assert shop.delete(path, '"4"').status == 204
    assert shop.patch(path, {"name": "Hall"}, "*").code == "INVALID_STATE"
    assert [each["status"] for each in shop.walk(9, "/resources?")] == ["archived"]


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"timezone": "Europe/Nowhere"}, "/timezone"),
        ({"timezone": "Europe"}, "/timezone"),
        ({"timezone": "../../etc/passwd"}, "/timezone"),
        ({"hours": [{"days": ["mon"], "from": "17:00", "to": "09:00"}]}, "/hours/0"),
        ({"hours": [{"days": ["mon"], "from": "24:00", "to": "24:00"}]}, "/hours/0/from"),
        ({"hours": [{"days": [], "from": "09:00", "to": "10:00"}]}, "/hours/0/days"),
        ({"exceptions": [{"date": "2026-12-24"}]}, "/exceptions/0"),
        ({"exceptions": [{"date": "2026-12-24", "closed": True, "from": "09:00", "to": "10:00"}]}, "/exceptions/0"),
        ({"exceptions": [{"date": "2026-02-30", "closed": True}]}, "/exceptions/0/date"),
        ({"min_minutes": 61, "max_minutes": 60}, ""),
        ({"capacity": 0}, "/capacity"),
        ({"price": {"per": "week", "amount": {"amount": "1", "currency": "EUR"}}}, "/price/per"),
    ],
)
def test_rules_that_make_no_sense_are_refused(shop: Shop, fields: dict[str, Any], pointer: str) -> None:
    refused = shop.post("/resources", {"name": "Room"} | fields)
    assert (refused.code, refused.pointers) == ("VALIDATION_ERROR", [pointer])


def test_a_day_is_offered_in_slots_of_its_hours_in_wall_time(shop: Shop) -> None:
    hours = [{"days": ["mon"], "from": "09:15", "to": "11:00"}, {"days": ["tue"], "from": "22:00", "to": "24:00"}]
    room = resource(shop, timezone="Europe/Berlin", hours=hours, slot_minutes=30, min_minutes=60)
    monday = next_monday()
    assert times(free(shop, room, monday, monday + timedelta(days=3))) == ["Mon 09:15", "Mon 09:45", *_tuesday()]
    booked(shop, room, monday + timedelta(hours=9, minutes=45))
    assert times(free(shop, room, monday, monday + timedelta(days=3))) == _tuesday()
    shorter = free(shop, room, monday, monday + timedelta(days=1), minutes=45)
    assert shorter == []  # shorter than bookings may be
    exception = {"date": f"{monday:%Y-%m-%d}", "from": "14:00", "to": "15:00"}
    shop.patch(f"/resources/{room}", {"exceptions": [exception]}, "*")
    assert times(free(shop, room, monday, monday + timedelta(days=1))) == ["Mon 14:00"]
    shop.patch(f"/resources/{room}", {"exceptions": [{"date": exception["date"], "closed": True}]}, "*")
    assert free(shop, room, monday, monday + timedelta(days=1)) == []


def _tuesday() -> list[str]:
    return ["Tue 22:00", "Tue 22:30", "Tue 23:00"]


def test_without_slots_free_times_follow_each_other(shop: Shop) -> None:
    hall, start = resource(shop, capacity=5), tomorrow()
    booked(shop, hall, start + timedelta(minutes=90), units=3)
    found = free(shop, hall, start, start + 4 * HOUR, minutes=60, units=3)
    assert [(each["starts_at"][11:16], each["units"]) for each in found] == [("00:00", 5), ("02:30", 5), ("03:30", 5)]
    found = free(shop, hall, start, start + 3 * HOUR, minutes=60)
    assert [each["units"] for each in found] == [5, 2, 2]


def test_the_range_of_a_question_is_limited(shop: Shop) -> None:
    room, start = resource(shop), tomorrow()
    for query, code in (
        (f"from={text(start)}&to={text(start + timedelta(days=62, seconds=1))}", "VALIDATION_ERROR"),
        (f"from={text(start)}&to={text(start)}", "VALIDATION_ERROR"),
        (f"from={text(start)}", "VALIDATION_ERROR"),
        (f"from={text(start)}&to={text(start + timedelta(days=62))}&minutes=1", "VALIDATION_ERROR"),
        (f"from={text(start)}&to={text(start + HOUR)}&units=0", "VALIDATION_ERROR"),
    ):
        assert shop.get(f"/resources/{room}/availability?{query}").code == code, query
    assert free(shop, room, tomorrow() - timedelta(days=60), tomorrow() - timedelta(days=30)) == []
    assert free(shop, room, tomorrow() + timedelta(days=600), tomorrow() + timedelta(days=630)) == []
    assert len(free(shop, room, tomorrow(), tomorrow() + timedelta(days=60), minutes=1440)) == 60


def test_changes_at_once_are_not_lost(shop: Shop, rival: Shop) -> None:
    room = resource(shop)
    path, address = f"/resources/{room}", f"/resources/{room}/calendar-url"
    with interleaved(lambda: rival.patch(path, {"capacity": 3}, "*")):
        shop.patch(path, {"name": "Hall"}, "*")
    urls = []
    with interleaved(lambda: urls.append(rival.post(address, None).json["url"])):
        shop.patch(path, {"name": "Great hall"}, "*")
    assert read(shop, urls[0]).status == 200
    with interleaved(lambda: rival.patch(path, {"horizon_days": 9}, "*")):
        urls.append(shop.post(address, None).json["url"])
    with interleaved(lambda: urls.append(rival.post(address, None).json["url"])):
        urls.append(shop.post(address, None).json["url"])
    assert [read(shop, url).status for url in urls] == [404, 404, 404, 200]
    shown = shop.get(path).json
    assert (shown["name"], shown["capacity"], shown["horizon_days"], shown["version"]) == ("Great hall", 3, 9, 5)


def test_hours_that_are_many_and_short_are_looked_at_within_limits(shop: Shop) -> None:
    hours = [
        {"days": [*Weekday], "from": f"{n // 2:02}:{n % 2 * 30:02}", "to": f"{n // 2:02}:{n % 2 * 30 + 27:02}"}
        for n in range(48)
    ]
    room = resource(shop, hours=hours, slot_minutes=1)
    query = f"from={text(tomorrow())}&to={text(tomorrow() + timedelta(days=62))}&minutes=28"
    assert shop.get(f"/resources/{room}/availability?{query}").code == "VALIDATION_ERROR"
