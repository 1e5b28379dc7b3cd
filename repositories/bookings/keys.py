"""Keys of resources, the pages of their calendars, and bookings."""

from datetime import datetime

from domain.common.model import to_rfc3339
from repositories.dynamodb.keys import Key, tenant_pk

RESOURCES = "RESOURCE"
"""List of a tenant's resources."""
BOOKINGS = "BOOKING"
"""List of a tenant's bookings."""


def resource(tenant: str, resource_id: str) -> Key:
    """Return the key of a resource's row: the last one in the partition of its calendar."""
    return Key(calendar_pk(tenant, resource_id), "RESOURCE")


def calendar_pk(tenant: str, resource_id: str) -> str:
    """Return the partition key of a resource's calendar."""
    return tenant_pk(tenant, "RESOURCE", resource_id)


def page(tenant: str, resource_id: str, start: datetime) -> Key:
    """Return the key of the page of a calendar that begins at a time."""
    return Key(calendar_pk(tenant, resource_id), f"PAGE#{to_rfc3339(start)}")


def last_page(tenant: str, resource_id: str) -> Key:
    """Return a key after those of all pages of a calendar, and before the resource's row."""
    return Key(calendar_pk(tenant, resource_id), "PAGE#~")


def entry_position(start: int, booking_id: str) -> str:
    """Return the position of an entry among all of a calendar, which sorts by time."""
    return f"{start:012}#{booking_id}"


def start_of(position: str) -> int:
    """Return the second of the epoch in a position; 0 for an empty one."""
    return int(position.partition("#")[0] or 0)


def booking(tenant: str, booking_id: str) -> Key:
    """Return the key of a booking's row."""
    return Key(tenant_pk(tenant, "BOOKING", booking_id), "BOOKING")


def customers_bookings(tenant: str, user_id: str) -> str:
    """Return the gsi2 partition key of a customer's bookings."""
    return tenant_pk(tenant, "USER", user_id, "BOOKING")
