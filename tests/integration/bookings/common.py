"""Resources and bookings for tests."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from domain.common.environment import now
from tests.shop import Answer, Shop

HOUR = timedelta(hours=1)
EUROS = {"per": "hour", "amount": {"amount": "10.00", "currency": "EUR"}}


def tomorrow() -> datetime:
    """Return the beginning of the day after the next one, in UTC."""
    return (now() + timedelta(days=2)).replace(hour=0, minute=0, second=0, microsecond=0)


def text(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def resource(shop: Shop, **fields: Any) -> str:
    answer = shop.post("/resources", {"name": "Room", "min_minutes": 1, "max_minutes": 20_000} | fields)
    assert answer.status == 201, answer.body
    return str(answer.json["id"])


def book(
    shop: Shop, resource_id: str, start: datetime, length: timedelta = HOUR, key: str = "", **fields: Any
) -> Answer:
    body = {"resource_id": resource_id, "starts_at": text(start), "ends_at": text(start + length)} | fields
    return shop.post("/bookings", body, key or uuid4().hex)


def booked(shop: Shop, resource_id: str, start: datetime, length: timedelta = HOUR, **fields: Any) -> str:
    answer = book(shop, resource_id, start, length, **fields)
    assert answer.status == 201, answer.body
    return str(answer.json["id"])


def act(shop: Shop, booking_id: str, action: str, key: str = "") -> Answer:
    return shop.post(f"/bookings/{booking_id}/{action}", None, key or uuid4().hex)


def status(shop: Shop, booking_id: str) -> str:
    return str(shop.get(f"/bookings/{booking_id}").json["status"])


def move(shop: Shop, booking_id: str, start: datetime, length: timedelta = HOUR, **fields: Any) -> Answer:
    body = {"starts_at": text(start), "ends_at": text(start + length)} | fields
    return shop.patch(f"/bookings/{booking_id}", body, "*")


def free(shop: Shop, resource_id: str, start: datetime, end: datetime, **query: Any) -> list[dict[str, Any]]:
    asked = "&".join(f"{name}={value}" for name, value in query.items())
    answer = shop.get(f"/resources/{resource_id}/availability?from={text(start)}&to={text(end)}&{asked}".rstrip("&"))
    assert answer.status == 200, answer.body
    slots: list[dict[str, Any]] = answer.json["slots"]
    return slots


def order_of(shop: Shop, *booking_ids: str, key: str = "", **fields: Any) -> Answer:
    lines = [{"booking_id": each} for each in booking_ids]
    return shop.post("/orders", {"lines": lines} | fields, key or uuid4().hex)


def at_later(patch: pytest.MonkeyPatch, later: Callable[[], timedelta]) -> None:
    """Let requests come later than they do."""
    patch.setattr("handlers.http.admission.now", lambda: now() + later())


def ids(bookings: list[dict[str, Any]]) -> list[str]:
    """Return the ids of bookings as they were listed."""
    return [each["id"] for each in bookings]
