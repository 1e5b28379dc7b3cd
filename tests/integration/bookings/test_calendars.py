"""Tests of calendars that other programs read."""

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from icalendar import Calendar

from tests.integration.bookings.common import HOUR, act, booked, move, resource, tomorrow
from tests.integration.bookings.conftest import Clock
from tests.shop import Answer, Shop


def read(shop: Shop, url: str) -> Answer:
    parts = urlsplit(url)
    return shop.send("GET", f"{parts.path}?{parts.query}", {}, b"")


def test_a_calendar_shows_when_a_resource_is_booked_and_not_by_whom(shop: Shop, clock: Clock) -> None:
    room = resource(shop, capacity=4)
    held, confirmed, cancelled = (booked(shop, room, tomorrow() + n * HOUR, note="secret") for n in range(3))
    act(shop, confirmed, "confirm")
    move(shop, confirmed, tomorrow() + 30 * HOUR, 2 * HOUR, units=3)
    act(shop, cancelled, "cancel")
    answer = read(shop, shop.post(f"/resources/{room}/calendar-url", None).json["url"])
    assert (answer.status, answer.headers["content-type"]) == (200, "text/calendar; charset=utf-8")
    events = {str(each["UID"]): each for each in Calendar.from_ical(answer.body.decode()).walk("VEVENT")}
    assert [*events] == [f"{each}@tradepost" for each in (held, confirmed)]
    first, second = events.values()
    assert (first["STATUS"], second["STATUS"], str(second["SEQUENCE"])) == ("TENTATIVE", "CONFIRMED", "3")
    starts = [each.decoded("DTSTART") for each in (first, second)]
    assert starts == [tomorrow(), tomorrow() + 30 * HOUR]
    assert (second.decoded("DTEND") - starts[1], second["SUMMARY"]) == (2 * HOUR, "Room: 3 of 4")
    assert b"secret" not in answer.body
    assert shop.user.encode() not in answer.body
    clock.ahead = timedelta(minutes=15)
    assert held not in read(shop, shop.post(f"/resources/{room}/calendar-url", None).json["url"]).body.decode()


def test_a_new_address_replaces_the_one_before(shop: Shop) -> None:
    room = resource(shop)
    first, second = (shop.post(f"/resources/{room}/calendar-url", None).json["url"] for _ in range(2))
    assert (read(shop, first).status, read(shop, second).status) == (404, 200)
    assert shop.get(f"/resources/{room}").json["version"] == 1
    shop.patch(f"/resources/{room}", {"name": "Room 2"}, "*")
    assert read(shop, second).status == 200


def test_an_address_is_for_one_resource_of_one_tenant(shop: Shop) -> None:
    room, other = resource(shop), resource(shop)
    url = shop.post(f"/resources/{room}/calendar-url", None).json["url"]
    token = url.partition("token=")[2]
    elsewhere = resource(Shop(shop.send, tenant="elsewhere-1"))
    for forged in (
        url.replace(room, other),
        url.replace(room, elsewhere),
        url.replace(shop.tenant, "elsewhere-1"),
        url[:-1] + ("A" if url[-1] != "A" else "B"),
        url.replace(token, ""),
        url.replace(token, f"{shop.tenant}."),
        url.replace(token, "A.B"),
    ):
        assert read(shop, forged).status in {400, 404}, forged
    assert shop.acting_as("customer").post(f"/resources/{room}/calendar-url", None).code == "FORBIDDEN"


def test_a_busy_calendar_shows_what_comes_next(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("repositories.bookings.feed.MAX_BOOKINGS", 2)
    room = resource(shop)
    made = [booked(shop, room, tomorrow() + n * HOUR) for n in range(3)]
    body = read(shop, shop.post(f"/resources/{room}/calendar-url", None).json["url"]).body.decode()
    assert [each in body for each in made] == [True, True, False]
