"""Rows of tenants."""

from typing import Any

from repositories.dynamodb.codec import Row


def tenant_fields(row: Row) -> dict[str, Any]:
    """Return the fields of a tenant. Rows written before lists of tenants have them under `tenant`."""
    fields: dict[str, Any] = row.get("head") or row["tenant"]
    return fields
