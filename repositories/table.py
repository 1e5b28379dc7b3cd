"""The one table, as calls that yield plain rows, count what they consume and fail in the domain's words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from repositories.keys import Key
from repositories.outages import translated
from repositories.rows import Row, decode, encode

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(slots=True)
class Meter:
    """What the calls of one request consumed, in capacity units as DynamoDB reports them."""

    reads: list[float] = field(default_factory=list)
    writes: list[float] = field(default_factory=list)

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


@dataclass(frozen=True, slots=True)
class Table:
    """The table, for the length of one request."""

    client: "DynamoDBClient"
    name: str
    meter: Meter

    def get(self, key: Key, *, consistent: bool = True) -> Row | None:
        """Return one row, or None."""
        with translated():
            found = self.client.get_item(
                TableName=self.name,
                Key=encode(key._asdict()),
                ConsistentRead=consistent,
                ReturnConsumedCapacity="TOTAL",
            )
        self.meter.reads.append(found["ConsumedCapacity"]["CapacityUnits"])
        return decode(found["Item"]) if "Item" in found else None

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
    ) -> "Answered":
        """Return the rows that fit a key condition, at most `limit`, and whether there may be more."""
        options: dict[str, Any] = {"IndexName": index} if index else {}
        if limit:
            options["Limit"] = limit
        with translated():
            found = self.client.query(
                TableName=self.name,
                KeyConditionExpression=condition,
                ExpressionAttributeValues=encode(values),
                ScanIndexForward=not newest_first,
                ConsistentRead=consistent,
                ReturnConsumedCapacity="TOTAL",
                **options,
            )
        self.meter.reads.append(found["ConsumedCapacity"]["CapacityUnits"])
        return Answered([decode(row) for row in found["Items"]], more="LastEvaluatedKey" in found)

    def put(self, row: Row, condition: str, values: Mapping[str, Any]) -> Row | None:
        """Write a row where `condition` holds and return None; else return the row that stands there.

        If that is the very row, it was written and the answer lost: botocore asked again.
        """
        try:
            with translated():
                written = self.client.put_item(
                    TableName=self.name,
                    Item=encode(row),
                    ConditionExpression=condition,
                    ExpressionAttributeValues=encode(values),
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                    ReturnConsumedCapacity="TOTAL",
                )
        except self.client.exceptions.ConditionalCheckFailedException as refused:
            self.meter.writes.append(0.0)
            standing: Any = refused.response
            other = decode(standing["Item"])
            return None if other == row else other
        self.meter.writes.append(written["ConsumedCapacity"]["CapacityUnits"])
        return None

    def transact(self, actions: Sequence[Any], token: str) -> Sequence[Mapping[str, Any]]:
        """Carry out all actions and return nothing; or none of them, and return the reason of each.

        `token` makes the same transaction, sent twice within ten minutes, happen once.
        """
        try:
            with translated():
                done = self.client.transact_write_items(
                    TransactItems=actions, ClientRequestToken=token, ReturnConsumedCapacity="TOTAL"
                )
        except self.client.exceptions.TransactionCanceledException as cancelled:
            self.meter.writes.append(0.0)
            reasons: Any = cancelled.response
            return list(reasons["CancellationReasons"])
        self.meter.writes.append(sum(used["CapacityUnits"] for used in done["ConsumedCapacity"]))
        return []


@dataclass(frozen=True, slots=True)
class Answered:
    """Rows of a query, and whether DynamoDB stopped before the end."""

    rows: list[Row]
    more: bool
