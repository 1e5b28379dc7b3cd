"""Free times of a resource and bookings of it, for people at a terminal."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from cli.api_client import ApiError, Client, json_of, successful
from domain.bookings.hours import instant


def resource_named(api: Client, name: str) -> dict[str, Any]:
    """Return the resource with this id or name. Raises ApiError if there is none, or several."""
    found = [each for each in _resources(api) if name in {each["id"], each["name"]} and each["status"] == "active"]
    if len(found) != 1:
        raise ApiError(
            f"There are {len(found)} resources named {name!r}." if found else f"There is no resource {name!r}."
        )
    return found[0]


def _resources(api: Client) -> Iterator[dict[str, Any]]:
    query: dict[str, str] = {}
    while True:
        page = api.get("resources", limit="200", **query)
        yield from page["items"]
        if page["next_cursor"] is None:
            return
        query = {"cursor": page["next_cursor"]}


def free_times(api: Client, resource: dict[str, Any], day: date, minutes: int | None, units: int) -> list[str]:
    """Return the free times of a day in the resource's zone, as `10:00 (2 free)`. Raises httpx.HTTPError, ApiError."""
    zone = ZoneInfo(resource["timezone"])
    begin, end = instant(day, "00:00", zone), instant(day, "24:00", zone)
    query = {"from": _text(begin), "to": _text(end), "units": str(units)}
    if minutes:
        query["minutes"] = str(minutes)
    slots = api.get(f"resources/{resource['id']}/availability", **query)["slots"]
    starts = [(datetime.fromisoformat(each["starts_at"]).astimezone(zone), each["units"]) for each in slots]
    return [f"{start:%H:%M} ({free} free)" for start, free in starts]


def book(
    api: Client, resource: dict[str, Any], start: datetime, minutes: int | None, units: int, *, confirm: bool
) -> dict[str, Any]:
    """Book a time and return the booking. Raises httpx.HTTPError, ApiError with the nearest free times."""
    end = start + timedelta(minutes=minutes or resource["min_minutes"])
    body = {"resource_id": resource["id"], "starts_at": _text(start), "ends_at": _text(end), "units": units}
    answer = api.post("bookings", body | {"confirm": confirm}, uuid4().hex)
    if answer.status_code < 400:
        booking: dict[str, Any] = json_of(successful(answer))
        return booking
    problem = json_of(answer)
    zone = ZoneInfo(resource["timezone"])
    near = [datetime.fromisoformat(each["detail"]) for each in problem["errors"] if each["code"] == "FREE_AT"]
    times = ", ".join(f"{each.astimezone(zone):%Y-%m-%d %H:%M}" for each in near)
    reasons = [each["detail"] for each in problem["errors"] if each["code"] != "FREE_AT"]
    raise ApiError(" ".join([problem["detail"], *reasons, *([f"Free: {times}."] if times else [])]))


def described(booking: dict[str, Any], resource: dict[str, Any]) -> str:
    """Return a booking as a line of text, in the resource's zone."""
    zone = ZoneInfo(resource["timezone"])
    start, end = (datetime.fromisoformat(booking[name]).astimezone(zone) for name in ("starts_at", "ends_at"))
    price = booking["price"]
    cost = f", {price['amount']} {price['currency']}" if price else ""
    until = booking["hold_expires_at"]
    held = f" until {datetime.fromisoformat(until).astimezone(zone):%H:%M}" if until else ""
    time = f"{start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} ({resource['timezone']})"
    return f"{booking['id']}: {resource['name']}, {time}{cost}, {booking['status']}{held}."


def _text(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
