"""Events of the rows in which they are stored."""

from typing import Any

from domain.event_types import SCHEMA, Event, type_of
from repositories.dynamodb.codec import Row


def event_of(tenant: str, at: str, stored: Row) -> Event:
    """Return a stored event of a tenant; `at` is its time."""
    return Event(
        id=stored["id"],
        source=f"/tenants/{tenant}",
        type=type_of(stored["kind"]),
        subject=stored["subject"],
        time=at,
        sequence=str(stored["sequence"]),
        dataschema=f"{SCHEMA}{stored['kind']}",
        data=_in_order(stored["data"]),
    )


def _in_order(data: dict[str, Any]) -> dict[str, Any]:
    """Return data with its names in alphabetical order: the table keeps none."""
    return {name: _in_order(data[name]) if isinstance(data[name], dict) else data[name] for name in sorted(data)}
