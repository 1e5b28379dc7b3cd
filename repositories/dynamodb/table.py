"""The one table, as calls that yield plain rows, count what they consume and fail in the domain's words."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import batched
from typing import TYPE_CHECKING, Any, Literal

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
"""How often what a batch left unread is asked for."""


@dataclass(slots=True)
class Meter:
    """What the calls of one request consumed, in capacity units as DynamoDB reports them."""

    reads: list[float] = field(default_factory=list)
    writes: list[float] = field(default_factory=list)

    def read(self, answer: Mapping[str, Any]) -> None:
        """Count an answer to a read."""
        self.reads.append(_units(answer))

    def wrote(self, answer: Mapping[str, Any]) -> None:
        """Count an answer to a write."""
        self.writes.append(_units(answer))

    @property
    def read_units(self) -> float:
        """Read capacity units."""
        return sum(self.reads)

    @property
    def write_units(self) -> float:
        """Write capacity units."""
        return sum(self.writes)

    @property
    def requests(self) -> int:
        """Calls that DynamoDB answered, refusals included."""
        return len(self.reads) + len(self.writes)


def _units(answer: Mapping[str, Any]) -> float:
    """Return what an answer says was consumed; no request fails because it says nothing."""
    consumed = answer.get("ConsumedCapacity") or []
    of_tables = [consumed] if isinstance(consumed, dict) else consumed
    return float(sum(used["CapacityUnits"] for used in of_tables))


@dataclass(frozen=True, slots=True)
class Table:
    """The table, for the length of one request."""

    client: "DynamoDBClient"
    name: str
    meter: Meter

    @uses(IamAction.GET)
    def get(self, key: Key, *, consistent: bool = True) -> Row | None:
        """Return one row, or None."""
        with mapped_to_domain():
            found = self.client.get_item(
                TableName=self.name,
                Key=encode(key._asdict()),
                ConsistentRead=consistent,
                ReturnConsumedCapacity="TOTAL",
            )
        self.meter.read(found)
        return decode(found["Item"]) if "Item" in found else None

    def batch_get(self, keys: Iterable[Key]) -> dict[Key, Row]:
        """Return the rows that there are at these keys, consistent; 100 keys a request."""
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
        """Return the rows that there are at up to 100 keys, all as of one moment; None if a write was in the way."""
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
        """Return the rows of a small partition (1 MB at most), consistent, in the order of their sort keys."""
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
        """Return the rows that fit a key condition, at most `limit`, and whether there may be more."""
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
        """Yield the rows of a partition of any size, consistent, in the order of their sort keys."""
        return self._paged(
            "query",
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues=encode({":pk": pk}),
            ConsistentRead=True,
        )

    def all_of(self, condition: str, values: Mapping[str, Any], *, index: str) -> Iterator[Row]:
        """Yield all rows of an index that fit a key condition, page by page."""
        return self._paged(
            "query",
            IndexName=index,
            KeyConditionExpression=condition,
            ExpressionAttributeValues=encode(values),
        )

    def scan(self, index: str) -> Iterator[Row]:
        """Yield all rows of an index, in no order: for one that holds only what is to be done."""
        return self._paged("scan", IndexName=index)

    def _paged(self, operation: Literal["query", "scan"], **options: Any) -> Iterator[Row]:
        client: Any = self.client
        pages = client.get_paginator(operation).paginate(TableName=self.name, ReturnConsumedCapacity="TOTAL", **options)
        with mapped_to_domain():
            for page in pages:
                self.meter.read(page)
                yield from (decode(row) for row in page["Items"])

    def put(self, row: Row, condition: str, values: Mapping[str, Any]) -> Row | None:
        """Write a row where `condition` holds and return None; else return the row that stands there.

        If that is the very row, it was written and the answer lost: botocore asked again. A transaction that holds
        the row is waited for. Raises Unavailable if that takes too long.
        """
        for attempt in range(_ATTEMPTS):
            try:
                return self._put(row, condition, values)
            except self.client.exceptions.TransactionConflictException:
                self.meter.wrote({})
                sleep(backoff_seconds(attempt))
        raise Unavailable

    def _put(self, row: Row, condition: str, values: Mapping[str, Any]) -> Row | None:
        try:
            with mapped_to_domain():
                written = self.client.put_item(
                    TableName=self.name,
                    Item=encode(row),
                    ConditionExpression=condition,
                    ExpressionAttributeValues=encode(values),
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

    def transact(self, actions: Sequence[Any], token: str) -> Sequence[Mapping[str, Any]]:
        """Carry out all actions and return nothing; or none of them, and return the reason of each.

        `token` makes the same transaction, sent twice within ten minutes, happen once.
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
    """Rows of a query, and whether DynamoDB stopped before the end."""

    rows: list[Row]
    more: bool
