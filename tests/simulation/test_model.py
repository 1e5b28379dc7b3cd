"""The model of DynamoDB answers as Dynoxide does, where operations come one after the other."""

from functools import cache
from random import Random
from typing import Any

import boto3
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from repositories.dynamodb.codec import encode
from tests.simulation.on_model import TABLE, simulated
from tests.simulation.world.client import Client

KEYS = st.integers(0, 3)


NUMBERS = st.integers(-2, 4)


CONDITIONS = st.sampled_from(
    [
        "attribute_not_exists(pk)",
        "attribute_exists(n)",
        "n = :v",
        "n <> :v",
        "n < :v",
        "n <= :v AND attribute_exists(pk)",
        "attribute_not_exists(pk) OR n >= :v",
        "attribute_not_exists(head.mark)",
    ]
)


UPDATES = st.sampled_from(["SET n = :v", "SET n = n + :v, m = n", "SET n = n - :v", "SET head.mark = :v"])


ACTIONS = st.fixed_dictionaries(
    {
        "verb": st.sampled_from(["Put", "Update", "Delete", "ConditionCheck"]),
        "key": KEYS,
        "n": NUMBERS,
        "v": NUMBERS,
        "condition": CONDITIONS,
        "update": UPDATES,
    }
)


OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), ACTIONS),
        st.tuples(st.just("transact"), st.lists(ACTIONS, min_size=1, max_size=3, unique_by=lambda each: each["key"])),
        st.tuples(st.just("query"), st.tuples(KEYS, KEYS, st.booleans(), st.sampled_from([1, 2, 5]))),
        st.tuples(st.just("batch"), st.lists(KEYS, min_size=1, max_size=4, unique=True)),
        st.tuples(st.just("snapshot"), st.lists(KEYS, min_size=1, max_size=4, unique=True)),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=300, deadline=None)
@given(operations=OPERATIONS, number=st.integers(0, 10**12))
def test_one_after_the_other_it_answers_as_dynoxide_does(database: str, operations: Any, number: int) -> None:
    """Rows, refusals with the row that stood in the way, reasons, pages and index entries."""
    pk, dynoxide = f"M#{number}", _client(database)
    real = [_done(dynoxide, pk, operation) for operation in operations]

    def act(client: Client) -> list[Any]:
        done = []
        for operation in operations:
            done.append(_done(client, pk, operation))
            client.scheduler.wait(1)
        return done

    try:
        assert simulated(act) == real
    finally:
        for n in range(4):
            dynoxide.delete_item(TableName=TABLE, Key=encode({"pk": pk, "sk": str(n)}))


@cache
def _client(endpoint: str) -> Any:
    return boto3.Session("local", "local", region_name="eu-west-1").client("dynamodb", endpoint_url=endpoint)


def _done(client: Any, pk: str, operation: tuple[str, Any]) -> Any:
    kind, what = operation
    try:
        return getattr(_Doing, kind)(client, pk, what)
    except ClientError as error:
        reasons: Any = error.response.get("CancellationReasons", [])
        shown = [(each["Code"], each.get("Item")) for each in reasons]
        return error.response["Error"]["Code"], shown, error.response.get("Item")


class _Doing:
    """Each operation, and what of its answer is compared."""

    @staticmethod
    def put(client: Any, pk: str, action: dict[str, Any]) -> Any:
        asked = _wire(pk, action | {"verb": "Put"})
        client.put_item(**asked, ReturnConsumedCapacity="TOTAL")
        return "put"

    @staticmethod
    def transact(client: Any, pk: str, actions: list[dict[str, Any]]) -> Any:
        items = [{each["verb"]: _wire(pk, each)} for each in actions]
        client.transact_write_items(TransactItems=items, ClientRequestToken=str(Random().getrandbits(100)))
        return "done"

    @staticmethod
    def query(client: Any, pk: str, asked: tuple[int, int, bool, int]) -> Any:
        low, high, backwards, limit = asked
        options: dict[str, Any] = {
            "TableName": TABLE,
            "KeyConditionExpression": "pk = :pk AND sk BETWEEN :a AND :b",
            "ExpressionAttributeValues": encode({":pk": pk, ":a": str(min(low, high)), ":b": str(max(low, high))}),
            "ScanIndexForward": not backwards,
            "ConsistentRead": True,
            "Limit": limit,
        }
        rows = []
        while True:
            page = client.query(**options)
            rows += page["Items"]
            if "LastEvaluatedKey" not in page:
                break
            options["ExclusiveStartKey"] = page["LastEvaluatedKey"]
        index = client.query(
            TableName=TABLE,
            IndexName="gsi1",
            KeyConditionExpression="gsi1pk = :pk AND gsi1sk < :before",
            ExpressionAttributeValues=encode({":pk": pk, ":before": "3"}),
        )
        return rows, index["Items"]

    @staticmethod
    def batch(client: Any, pk: str, keys: list[int]) -> Any:
        wanted = [encode({"pk": pk, "sk": str(key)}) for key in keys]
        found = client.batch_get_item(RequestItems={TABLE: {"Keys": wanted, "ConsistentRead": True}})["Responses"]
        return sorted(found.get(TABLE, []), key=lambda row: str(row["sk"]["S"]))

    @staticmethod
    def snapshot(client: Any, pk: str, keys: list[int]) -> Any:
        wanted = [{"Get": {"TableName": TABLE, "Key": encode({"pk": pk, "sk": str(key)})}} for key in keys]
        return [each.get("Item") for each in client.transact_get_items(TransactItems=wanted)["Responses"]]


def _wire(pk: str, action: dict[str, Any]) -> dict[str, Any]:
    key = {"pk": pk, "sk": str(action["key"])}
    wire: dict[str, Any] = {"TableName": TABLE, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    used = action["condition"]
    if action["verb"] == "Put":
        head = {"mark": 1} if action["n"] > 2 else {}
        wire["Item"] = encode(key | {"n": action["n"], "head": head, "gsi1pk": pk, "gsi1sk": str(action["n"])})
    else:
        wire["Key"] = encode(key)
    if action["verb"] == "Update":
        # An operand that is not there is a mistake in our code in both: only rows that have it are updated.
        wire["UpdateExpression"] = action["update"]
        wire["ConditionExpression"] = "attribute_exists(n) AND attribute_exists(head)"
        wire["ExpressionAttributeValues"] = encode({":v": action["v"]})
        return wire
    wire["ConditionExpression"] = used
    if ":v" in used:
        wire["ExpressionAttributeValues"] = encode({":v": action["v"]})
    return wire
