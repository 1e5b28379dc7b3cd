"""Peers that do the same work: bare boto3, boto3's resources, and FastAPI with Mangum.

They read and write rows like Tradepost's, without validation (except FastAPI), permissions, idempotency, problem
documents and logs.
"""

import json
from decimal import Decimal
from typing import Any
from uuid import uuid4

import boto3
from boto3.dynamodb.conditions import Key
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from fastapi import FastAPI
from mangum import Mangum
from pydantic import BaseModel

from local.database import TABLE_NAME
from repositories.dynamodb import keys

type Event = dict[str, Any]

_serialize = TypeSerializer().serialize
_deserialize = TypeDeserializer().deserialize


def _rows_of(tenant: str, item_id: str, body: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the four rows of a new item, like Tradepost's."""
    head = {"id": item_id, "name": body["name"], "price": 1299, "currency": "EUR", "status": "active", "version": 1}
    position = keys.Position("2026-11-21T08:00:00.000Z", item_id)
    listed = keys.listed(tenant, "BENCH", position)
    return [
        {**keys.item(tenant, item_id)._asdict(), "type": "item", "head": head, "attributes": "{}", **listed},
        {**keys.stock(tenant, item_id)._asdict(), "type": "stock", "price": 1299, "sellable": True},
        {**keys.sku(tenant, item_id)._asdict(), "type": "sku", "item_id": item_id},
        {**keys.idempotency(tenant, item_id)._asdict(), "type": "event", "data": {}},
    ]


def _answer(status: int, body: Any) -> dict[str, Any]:
    return {
        "statusCode": status,
        "body": json.dumps(body, default=str),
        "headers": {"Content-Type": "application/json"},
    }


class Bare:
    """Handler with boto3's client and a dozen lines per route."""

    def __init__(self, tenant: str) -> None:
        self.client = boto3.client("dynamodb")
        self.tenant = tenant

    def get(self, event: Event) -> dict[str, Any]:
        """Read an item."""
        return _answer(200, self.read(event["pathParameters"]["item_id"]))

    def create(self, event: Event) -> dict[str, Any]:
        """Write an item."""
        return _answer(201, {"id": self.write(json.loads(event["body"]))})

    def list_newest(self, event: Event) -> dict[str, Any]:
        """List items."""
        return _answer(200, self.page(int(event["queryStringParameters"]["limit"])))

    def read(self, item_id: str) -> list[Any]:
        """Return an item's rows."""
        found = self.client.query(
            TableName=TABLE_NAME,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": keys.item(self.tenant, item_id).pk}},
            ConsistentRead=True,
        )
        return [_plain(row) for row in found["Items"]]

    def write(self, body: dict[str, Any]) -> str:
        """Write an item's rows in a transaction and return its id."""
        item_id = uuid4().hex
        actions: Any = [
            {
                "Put": {
                    "TableName": TABLE_NAME,
                    "Item": {name: _serialize(value) for name, value in row.items()},
                    "ConditionExpression": "attribute_not_exists(pk)",
                }
            }
            for row in _rows_of(self.tenant, item_id, body)
        ]
        self.client.transact_write_items(TransactItems=actions)
        return item_id

    def page(self, limit: int) -> list[Any]:
        """Return the newest items of all shards."""
        rows: list[Any] = []
        for shard in range(keys.SHARDS):
            found = self.client.query(
                TableName=TABLE_NAME,
                IndexName="gsi1",
                KeyConditionExpression="gsi1pk = :pk",
                ExpressionAttributeValues={":pk": {"S": keys.list_pk(self.tenant, "ITEM", shard)}},
                ScanIndexForward=False,
                Limit=limit // keys.SHARDS + 7,
            )
            rows += [_plain(row) for row in found["Items"]]
        rows.sort(key=lambda row: str(row["gsi1sk"]), reverse=True)
        return [row["head"] for row in rows[:limit]]


class Resource(Bare):
    """Handler with boto3's resources, as in most examples."""

    def __init__(self, tenant: str) -> None:
        super().__init__(tenant)
        self.table = boto3.resource("dynamodb").Table(TABLE_NAME)

    def read(self, item_id: str) -> list[Any]:
        """Return an item's rows."""
        condition = Key("pk").eq(keys.item(self.tenant, item_id).pk)
        return list(self.table.query(KeyConditionExpression=condition, ConsistentRead=True)["Items"])

    def write(self, body: dict[str, Any]) -> str:
        """Write an item's rows in a transaction and return its id."""
        item_id = uuid4().hex
        actions: Any = [
            {"Put": {"TableName": TABLE_NAME, "Item": row, "ConditionExpression": "attribute_not_exists(pk)"}}
            for row in _rows_of(self.tenant, item_id, body)
        ]
        self.table.meta.client.transact_write_items(TransactItems=actions)
        return item_id

    def page(self, limit: int) -> list[Any]:
        """Return the newest items of all shards."""
        rows: list[Any] = []
        for shard in range(keys.SHARDS):
            rows += self.table.query(
                IndexName="gsi1",
                KeyConditionExpression=Key("gsi1pk").eq(keys.list_pk(self.tenant, "ITEM", shard)),
                ScanIndexForward=False,
                Limit=limit // keys.SHARDS + 7,
            )["Items"]
        rows.sort(key=lambda row: str(row["gsi1sk"]), reverse=True)
        return [row["head"] for row in rows[:limit]]


class NewThing(BaseModel):
    """Request body that FastAPI validates."""

    name: str
    price: dict[str, str]
    sku: str | None = None
    stock: int | None = None


class FastApi:
    """Bare handler behind FastAPI and Mangum."""

    def __init__(self, tenant: str) -> None:
        bare = Bare(tenant)
        app = FastAPI()

        @app.get("/v1/items")
        def page(limit: int) -> list[Any]:
            return json.loads(json.dumps(bare.page(limit), default=_number))  # type: ignore[no-any-return]

        @app.get("/v1/items/{item_id}")
        def read(item_id: str) -> list[Any]:
            return json.loads(json.dumps(bare.read(item_id), default=_number))  # type: ignore[no-any-return]

        @app.post("/v1/items", status_code=201)
        def write(new: NewThing) -> dict[str, str]:
            return {"id": bare.write(new.model_dump())}

        self.handler = Mangum(app, lifespan="off")

    def call(self, event: Event, context: Any) -> dict[str, Any]:
        """Return the response to an event."""
        answer: dict[str, Any] = self.handler(event, context)
        return answer


def _number(value: Any) -> Any:
    return int(value) if isinstance(value, Decimal) else str(value)


def _plain(row: Any) -> dict[str, Any]:
    return {name: _deserialize(value) for name, value in row.items()}
