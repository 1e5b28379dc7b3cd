"""Schema of the table, shared by the stack and the local database."""

from typing import Any

INDEXES: dict[str, list[str]] = {
    "gsi1": ["head"],
    "gsi2": ["head"],
    "gsi3": [],
}
"""Non-key attributes that each index projects: `head` is what lists show."""

TTL_ATTRIBUTE = "ttl"
STREAM: Any = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
"""Settings of the table's stream."""


def key_names(index: str = "") -> tuple[str, str]:
    """Return the names of an index's partition key and sort key; without an index, those of the table."""
    return f"{index}pk", f"{index}sk"


def create_table_request(name: str) -> dict[str, Any]:
    """Return the arguments of DynamoDB's CreateTable for a table called `name`."""
    attributes = [key for index in ("", *INDEXES) for key in key_names(index)]
    return {
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": key, "AttributeType": "S"} for key in attributes],
        "KeySchema": _key_schema(),
        "GlobalSecondaryIndexes": [
            {"IndexName": index, "KeySchema": _key_schema(index), "Projection": _projection(shown)}
            for index, shown in INDEXES.items()
        ],
    }


def _key_schema(index: str = "") -> list[dict[str, str]]:
    partition, sort = key_names(index)
    return [{"AttributeName": partition, "KeyType": "HASH"}, {"AttributeName": sort, "KeyType": "RANGE"}]


def _projection(shown: list[str]) -> dict[str, Any]:
    if not shown:
        return {"ProjectionType": "KEYS_ONLY"}
    return {"ProjectionType": "INCLUDE", "NonKeyAttributes": shown}
