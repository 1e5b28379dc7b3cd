"""Calls on the DynamoDB table that return plain rows, count consumed capacity and raise domain errors."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import batched
from typing import TYPE_CHECKING, Any

from domain.common.environment import sleep
from domain.common.errors import Unavailable
from repositories.aws.backoff import backoff_seconds
from repositories.aws.errors import THROTTLED, mapped_to_domain
from repositories.dynamodb.codec import Row, decode, encode
from repositories.dynamodb.iam_actions import IamAction, uses
from repositories.dynamodb.keys import Key

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_BATCH = 100
_ATTEMPTS = 5
"""Maximum attempts to read the unprocessed keys of a batch, and to put a row that a transaction is writing."""


@dataclass(slots=True)
class Meter:
    """Capacity units that the calls of one request consumed, as DynamoDB reports them."""

    reads: list[float] = field(default_factory=list)
    writes: list[float] = field(default_factory=list)

    def read(self, answer: Mapping[str, Any]) -> None:
        """Add the response to a read."""
        self.reads.append(_units(answer))

    def wrote(self, answer: Mapping[str, Any]) -> None:
        """Add the response to a write."""
        self.writes.append(_units(answer))

    @property
    def read_units(self) -> float:
        """Total read capacity units."""
        return sum(self.reads)

    @property
    def write_units(self) -> float:
        """Total write capacity units."""
        return sum(self.writes)

    @property
    def requests(self) -> int:
        """Number of calls that DynamoDB answered, failed conditions and cancelled transactions included."""
        return len(self.reads) + len(self.writes)


def _units(answer: Mapping[str, Any]) -> float:
    """Return the capacity units that a response reports; 0 if it reports none, so that no request fails over it."""
    consumed = answer.get("ConsumedCapacity") or []
    of_tables = [consumed] if isinstance(consumed, dict) else consumed
    return float(sum(used["CapacityUnits"] for used in of_tables))


@dataclass(frozen=True, slots=True)
class Table:
    """The table, with the client and the meter of one request."""

    client: "DynamoDBClient"
    name: str
    meter: Meter

    @uses(IamAction.GET)
    def get(self, key: Key, *, consistent: bool = True) -> Row | None:
        """Return the row at `key`, or None."""
        with mapped_to_domain():
            found = self.client.get_item(
                TableName=self.name,
                Key=encode(key._asdict()),
                ConsistentRead=consistent,
                ReturnConsumedCapacity="TOTAL",
            )
        self.meter.read(found)
        return decode(found["Item"]) if "Item" in found else None

    @uses(IamAction.DESCRIBE)
    def created_at(self) -> datetime:
        """Return the time in UTC at which the table was created. Raises Unavailable."""
        with mapped_to_domain():
            created = self.client.describe_table(TableName=self.name)["Table"]["CreationDateTime"]
        return created.astimezone(UTC)

    def batch_get(self, keys: Iterable[Key]) -> dict[Key, Row]:
        """Return the rows at these keys from consistent reads of 100 keys each; keys without a row are omitted.

        Raises Unavailable.
        """
        found: dict[Key, Row] = {}
        for chunk in batched(keys, _BATCH, strict=False):
            found |= self._batch_get(chunk)
        return found

    def _batch_get(self, keys: Sequence[Key]) -> dict[Key, Row]:
        wanted: Any = [encode(key._asdict()) for key in keys]
        found: dict[Key, Row] = {}
        for attempt in range(_ATTEMPTS):
            with mapped_to_domain():
                answered = self.client.batch_get_item(
                    RequestItems={self.name: {"Keys": wanted, "ConsistentRead": True}}, ReturnConsumedCapacity="TOTAL"
                )
            self.meter.read(answered)
            rows = (decode(row) for row in answered["Responses"].get(self.name, ()))
            found |= {Key(row["pk"], row["sk"]): row for row in rows}
            if not answered["UnprocessedKeys"]:
                return found
            wanted = answered["UnprocessedKeys"][self.name]["Keys"]
            sleep(backoff_seconds(attempt))
        raise Unavailable

    def snapshot(self, keys: Sequence[Key]) -> list[Row] | None:
        """Return the existing rows at up to 100 keys as of one moment, or None on a conflict with a write."""
        try:
            with mapped_to_domain():
                answered = self.client.transact_get_items(
                    TransactItems=[{"Get": {"TableName": self.name, "Key": encode(key._asdict())}} for key in keys],
                    ReturnConsumedCapacity="TOTAL",
                )
        except self.client.exceptions.TransactionCanceledException as cancelled:
            self.meter.read({})
            reasons: Any = cancelled.response
            codes = {reason["Code"] for reason in reasons["CancellationReasons"]} - {"None"}
            if codes <= {"TransactionConflict"}:
                return None
            if codes <= THROTTLED | {"TransactionConflict"}:
                raise Unavailable from cancelled
            raise
        self.meter.read(answered)
        return [decode(each["Item"]) for each in answered["Responses"] if "Item" in each]

    def partition(self, pk: str) -> list[Row]:
        """Return the rows of a small partition (1 MB at most), read consistently, sorted by sort key."""
        return self.query("pk = :pk", {":pk": pk}, consistent=True).rows

    def query(
        self,
        condition: str,
        values: Mapping[str, Any],
        *,
        index: str | None = None,
        limit: int | None = None,
        newest_first: bool = False,
        consistent: bool = False,
    ) -> "QueryPage":
        """Return the rows that match a key condition, at most `limit`, and whether there may be more."""
        options: dict[str, Any] = {"IndexName": index} if index else {}
        if limit:
            options["Limit"] = limit
        with mapped_to_domain():
            found = self.client.query(
                TableName=self.name,
                KeyConditionExpression=condition,
                ExpressionAttributeValues=encode(values),
                ScanIndexForward=not newest_first,
                ConsistentRead=consistent,
                ReturnConsumedCapacity="TOTAL",
                **options,
            )
        self.meter.read(found)
        return QueryPage([decode(row) for row in found["Items"]], more="LastEvaluatedKey" in found)

    def whole_partition(self, pk: str) -> Iterator[Row]:
        """Yield the rows of a partition of any size, read consistently, sorted by sort key."""
        return self.every("pk = :pk", {":pk": pk})

    def every(self, condition: str, values: Mapping[str, Any], *, index: str | None = None) -> Iterator[Row]:
        """Yield all rows that match a key condition, sorted by sort key; read consistently unless from an index."""
        options: dict[str, Any] = {"IndexName": index} if index else {}
        pages = self.client.get_paginator("query").paginate(
            TableName=self.name,
            KeyConditionExpression=condition,
            ExpressionAttributeValues=encode(values),
            ConsistentRead=index is None,
            ReturnConsumedCapacity="TOTAL",
            **options,
        )
        with mapped_to_domain():
            for page in pages:
                self.meter.read(page)
                yield from (decode(row) for row in page["Items"])

    def put(self, row: Row, condition: str, values: Mapping[str, Any]) -> Row | None:
        """Write a row if `condition` holds and return None; otherwise return the existing row.

        If the existing row equals `row`, it was written but the response was lost, and botocore retried: returns None.
        Conflicts with transactions are retried. Raises Unavailable after the last retry.
        """
        return self._past_conflicts(lambda: self._put(row, condition, values))

    def _past_conflicts[Answer](self, write: Callable[[], Answer]) -> Answer:
        """Repeat a write as long as it conflicts with a transaction. Raises Unavailable after the last attempt."""
        for attempt in range(_ATTEMPTS):
            try:
                return write()
            except self.client.exceptions.TransactionConflictException:
                self.meter.wrote({})
                sleep(backoff_seconds(attempt))
        raise Unavailable

    def _put(self, row: Row, condition: str, values: Mapping[str, Any]) -> Row | None:
        options: dict[str, Any] = {"ExpressionAttributeValues": encode(values)} if values else {}
        try:
            with mapped_to_domain():
                written = self.client.put_item(
                    TableName=self.name,
                    Item=encode(row),
                    ConditionExpression=condition,
                    **options,
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                    ReturnConsumedCapacity="TOTAL",
                )
        except self.client.exceptions.ConditionalCheckFailedException as refused:
            self.meter.wrote({})
            standing: Any = refused.response
            other = decode(standing["Item"])
            return None if other == row else other
        self.meter.wrote(written)
        return None

    def mark(self, key: Key, name: str) -> None:
        """Set an attribute of a row to true, if the row is still there. Conflicts with transactions are retried.

        Raises Unavailable after the last retry.
        """
        self._past_conflicts(lambda: self._mark(key, name))

    def _mark(self, key: Key, name: str) -> None:
        try:
            with mapped_to_domain():
                done = self.client.update_item(
                    TableName=self.name,
                    Key=encode(key._asdict()),
                    UpdateExpression=f"SET {name} = :true",
                    ConditionExpression="attribute_exists(pk)",
                    ExpressionAttributeValues=encode({":true": True}),
                    ReturnConsumedCapacity="TOTAL",
                )
        except self.client.exceptions.ConditionalCheckFailedException:
            self.meter.wrote({})
        else:
            self.meter.wrote(done)

    def add(self, row: Row, attribute: str) -> int:
        """Add a row's number to that of the stored row, store the row if there is none, and return the sum.

        An addition whose response is lost is repeated: the sum may be too high. Raises Unavailable.
        """
        for _ in range(2):
            try:
                return self._add(row, attribute)
            except self.client.exceptions.ConditionalCheckFailedException:
                self.meter.wrote({})
                self.put(row | {attribute: 0}, "attribute_not_exists(pk)", {})
        raise Unavailable

    def _add(self, row: Row, attribute: str) -> int:
        with mapped_to_domain():
            done = self.client.update_item(
                TableName=self.name,
                Key=encode({"pk": row["pk"], "sk": row["sk"]}),
                UpdateExpression=f"ADD {attribute} :amount",
                ConditionExpression="attribute_exists(pk)",
                ExpressionAttributeValues=encode({":amount": row[attribute]}),
                ReturnValues="UPDATED_NEW",
                ReturnConsumedCapacity="TOTAL",
            )
        self.meter.wrote(done)
        return int(decode(done["Attributes"])[attribute])

    def transact(self, actions: Sequence[Any], token: str) -> Sequence[Mapping[str, Any]]:
        """Perform all actions and return an empty list, or perform none and return the cancellation reason of each.

        `token` makes the transaction idempotent: sent twice within ten minutes, it takes effect once.
        """
        try:
            with mapped_to_domain():
                done = self.client.transact_write_items(
                    TransactItems=actions, ClientRequestToken=token, ReturnConsumedCapacity="TOTAL"
                )
        except self.client.exceptions.TransactionCanceledException as cancelled:
            self.meter.wrote({})
            reasons: Any = cancelled.response
            return list(reasons["CancellationReasons"])
        self.meter.wrote(done)
        return []


@dataclass(frozen=True, slots=True)
class QueryPage:
    """Rows of a query; `more` is true if DynamoDB stopped before the end."""

    rows: list[Row]
    more: bool
