"""Rows to and from DynamoDB's typed JSON, each with its type and schema version.

A row is its keys, `head` (what lists show, projected into the indexes as one map, so that showing one more
field in a list needs no new index) and whatever else belongs to the entity.
"""

from collections.abc import Mapping
from typing import Any

from boto3.dynamodb.types import Binary, TypeDeserializer, TypeSerializer

from repositories.keys import Key

type Row = dict[str, Any]
"""A row as plain Python values."""

_to_wire = TypeSerializer().serialize
_from_wire = TypeDeserializer().deserialize


def new_row(key: Key, kind: str, schema: int = 1, /, **attributes: Any) -> Row:
    """Return a row of type `kind`; `schema` is the version of its layout."""
    return {"pk": key.pk, "sk": key.sk, "type": kind, "schema": schema, **attributes}


def encode(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row, or a set of expression values, as DynamoDB takes it."""
    return {name: _to_wire(value) for name, value in row.items()}


def decode(wire: Mapping[str, Any]) -> Row:
    """Return a row as plain values; numbers are Decimal, binaries bytes."""
    return {name: _plain(_from_wire(value)) for name, value in wire.items()}


def _plain(value: Any) -> Any:
    return value.__bytes__() if isinstance(value, Binary) else value
