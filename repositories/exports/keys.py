"""Keys of exports, and names of their files."""

from repositories.dynamodb.keys import Key, tenant_pk

COLLECTION = "EXPORT"
"""List of exports."""
PARTS = "PART#"
"""Beginning of the sort keys of an export's parts."""
MAX_PARTS = 99_999
"""Highest number of a part that its key has room for."""


def export(tenant: str, export_id: str) -> Key:
    """Return the key of an export."""
    return Key(tenant_pk(tenant, "EXPORT", export_id), "EXPORT")


def part(tenant: str, export_id: str, number: int) -> Key:
    """Return the key of a part of an export."""
    return Key(tenant_pk(tenant, "EXPORT", export_id), f"{PARTS}{number:05}")


def export_of(pk: str) -> str:
    """Return the id of the export of a partition key."""
    return pk.split("#")[3]


def object_name(tenant: str, export_id: str, name: str) -> str:
    """Return the name of a file in the bucket: those of a tenant have a prefix of their own."""
    return f"exports/{tenant}/{export_id}/{name}"
