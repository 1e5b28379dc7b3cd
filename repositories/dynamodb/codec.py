"""Conversion of rows to and from DynamoDB's typed JSON. Each row has its type and schema version.

A row has keys, `head` if lists show it, and the other attributes of its entity. `head` is projected into the indexes
as one map, so that showing one more field in a list needs no new index. Numbers in the table are integers, so the few
lines below replace boto3's codec; importing that takes a tenth of a cold start.
"""

from collections.abc import Mapping
from typing import Any

from repositories.dynamodb.keys import Key

type Row = dict[str, Any]
"""A row as plain Python values."""


def new_row(key: Key, kind: str, schema: int = 1, /, **attributes: Any) -> Row:
    """Return a row of type `kind`; `schema` is the version of its layout."""
    return {"pk": key.pk, "sk": key.sk, "type": kind, "schema": schema, **attributes}


def encode(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row, or the values of an expression, as DynamoDB's typed JSON."""
    return {name: _to_wire(value) for name, value in row.items()}


def decode(wire: Mapping[str, Any]) -> Row:
    """Return a row of typed JSON as plain values."""
    return {name: _from_wire(value) for name, value in wire.items()}


def _to_wire(value: Any) -> dict[str, Any]:
    match value:
        case str():
            return {"S": value}
        case bool():
            return {"BOOL": value}
        case int():
            return {"N": str(value)}
        case None:
            return {"NULL": True}
        case bytes():
            return {"B": value}
        case list():
            return {"L": [_to_wire(each) for each in value]}
        case dict():
            return {"M": encode(value)}
        case _:
            raise TypeError(f"{type(value).__name__} has no place in a row")


def _from_wire(wire: Mapping[str, Any]) -> Any:
    [(tag, value)] = wire.items()
    match tag:
        case "S" | "BOOL" | "B":
            return value
        case "N":
            return int(value)
        case "NULL":
            return None
        case "L":
            return [_from_wire(each) for each in value]
        case "M":
            return decode(value)
        case _:
            raise TypeError(f"{tag} has no place in a row")
