"""The model is right: as Dynoxide where operations come one after the other, and as documented where they do not."""

from collections.abc import Callable
from functools import cache, partial
from itertools import pairwise
from random import Random
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from hypothesis import given, settings
from hypothesis import strategies as st

from repositories.dynamodb.codec import encode
from tests.simulation.client import Client, Faults
from tests.simulation.model import Model, Profile
from tests.simulation.scheduler import Crash, Scheduler

PROMPT = Profile(latency=0.001, commit_spread=0.0, slow_commits=0.0, index_lag=0.0, long_lags=0.0, unprocessed=0.0)
SLOW = Profile(latency=0.0001, commit_spread=1.0, slow_commits=0.0, index_lag=0.5, long_lags=0.0, unprocessed=0.0)
TABLE = "tradepost"


def simulated(
    act: Callable[[Client], Any], profile: Profile = PROMPT, faults: Faults | None = None, seed: int = 1
) -> Any:
    """Return what comes of acting on a new table."""
    scheduler = Scheduler(Random(seed))
    client = Client(scheduler, Model(scheduler, profile), faults or Faults())
    task = scheduler.spawn("test", lambda: act(client))
    scheduler.run(lambda: task.done)
    if task.error:
        raise task.error
    return task.result


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
        # An operand that is not there is a mistake of ours in both: only rows that have it are updated.
        wire["UpdateExpression"] = action["update"]
        wire["ConditionExpression"] = "attribute_exists(n) AND attribute_exists(head)"
        wire["ExpressionAttributeValues"] = encode({":v": action["v"]})
        return wire
    wire["ConditionExpression"] = used
    if ":v" in used:
        wire["ExpressionAttributeValues"] = encode({":v": action["v"]})
    return wire


def _put(key: str, **fields: Any) -> dict[str, Any]:
    return {"Put": {"TableName": TABLE, "Item": encode({"pk": "p", "sk": key, **fields})}}


def _transact(client: Client, *items: dict[str, Any], token: str = "") -> None:
    token = token or str(client.scheduler.chance.random())
    client.transact_write_items(TransactItems=list(items), ClientRequestToken=token)


def _transact_all(items: list[dict[str, Any]], client: Client) -> None:
    _transact(client, *items)


def _seen(client: Client) -> set[str]:
    found = client.query(
        TableName=TABLE, KeyConditionExpression="pk = :pk", ExpressionAttributeValues=encode({":pk": "p"})
    )
    return {row["sk"]["S"] for row in found["Items"]}


def test_a_query_shows_half_of_a_transaction_and_in_the_end_all() -> None:
    def act(client: Client) -> list[set[str]]:
        writing = client.scheduler.spawn("writer", lambda: _transact(client, _put("a"), _put("b"), _put("c")))
        seen = []
        while not writing.done:
            seen.append(_seen(client))
            client.scheduler.wait(0.02)
        return [*seen, _seen(client)]

    halves = set()
    for seed in range(20):
        seen = simulated(act, SLOW, seed=seed)
        assert seen[-1] == {"a", "b", "c"}
        assert all(before <= after for before, after in pairwise(seen))
        halves |= {frozenset(each) for each in seen}
    assert frozenset("a") in halves
    assert frozenset("bc") in halves


@pytest.mark.parametrize("other", ["put", "transaction", "snapshot"])
def test_what_a_transaction_holds_is_refused_to_others(other: str) -> None:
    def act(client: Client) -> str:
        client.scheduler.spawn("writer", lambda: _transact(client, _put("a"), _put("b")))
        client.scheduler.wait(0.05)
        try:
            if other == "put":
                client.put_item(**_put("a")["Put"], ConditionExpression="attribute_exists(pk)")
            elif other == "transaction":
                _transact(client, _put("x"), _put("a"), _put("b"))
            else:
                keys = [{"Get": {"Key": encode({"pk": "p", "sk": sk})}} for sk in ("x", "a", "b")]
                client.transact_get_items(TransactItems=keys)
        except ClientError as error:
            reasons: Any = error.response.get("CancellationReasons")
            return str([each["Code"] for each in reasons] if reasons else error.response["Error"]["Code"])
        return "done"

    told = {simulated(act, SLOW, seed=seed) for seed in range(20)}
    if other == "put":
        assert "TransactionConflictException" in told
    else:
        assert "['None', 'TransactionConflict', 'TransactionConflict']" in told


def test_a_token_makes_a_transaction_happen_once_for_ten_minutes() -> None:
    def act(client: Client) -> list[int]:
        update = {
            "Update": {
                "TableName": TABLE,
                "Key": encode({"pk": "p", "sk": "a"}),
                "UpdateExpression": "SET n = n + :one",
                "ExpressionAttributeValues": encode({":one": 1}),
            }
        }
        _transact(client, _put("a", n=0))
        seen = []
        for pause in (0, 300, 400):
            client.scheduler.wait(pause)
            _transact(client, update, token="same")
            seen.append(int(client.get_item(Key=encode({"pk": "p", "sk": "a"}))["Item"]["n"]["N"]))
        return seen

    assert simulated(act) == [1, 1, 2]


def test_a_row_may_be_written_once_in_a_transaction_of_a_hundred_actions() -> None:
    for items in ([_put("a"), _put("a")], [_put(str(n)) for n in range(101)]):
        with pytest.raises(Exception, match="too many actions, or two on one row"):
            simulated(partial(_transact_all, items))


def test_an_index_follows_late_and_in_order() -> None:
    def act(client: Client) -> list[list[str]]:
        seen = []
        for n in range(3):
            _transact(client, _put("a", gsi1pk="list", gsi1sk=str(n), head={"n": n}))
        for _ in range(40):
            found = client.query(
                IndexName="gsi1",
                KeyConditionExpression="gsi1pk = :pk",
                ExpressionAttributeValues=encode({":pk": "list"}),
            )
            seen.append([row["gsi1sk"]["S"] for row in found["Items"]])
            client.scheduler.wait(0.05)
        return seen

    shown = [simulated(act, Profile(0.001, 0.0, 0.0, 0.5, 0.0, 0.0), seed=seed) for seed in range(10)]
    for seen in shown:
        order = [each[0] for each in seen if each]
        assert order == sorted(order)
        assert all(len(each) <= 1 for each in seen)
        assert seen[-1] == ["2"]
    assert any(seen[0] != ["2"] for seen in shown)


def test_a_batch_leaves_keys_unread() -> None:
    def act(client: Client) -> int:
        _transact(client, *(_put(str(n)) for n in range(20)))
        wanted = [encode({"pk": "p", "sk": str(n)}) for n in range(20)]
        answer = client.batch_get_item(RequestItems={TABLE: {"Keys": wanted}})
        unread = answer["UnprocessedKeys"].get(TABLE, {"Keys": []})["Keys"]
        assert len(answer["Responses"][TABLE]) + len(unread) == 20
        return len(unread)

    profile = Profile(commit_spread=0.0, unprocessed=0.3)
    assert {bool(simulated(act, profile, seed=seed)) for seed in range(20)} == {True}


@pytest.mark.parametrize(
    ("fault", "error", "there"),
    [
        ("lost", ReadTimeoutError, False),
        ("unanswered", ReadTimeoutError, True),
        ("late", ReadTimeoutError, True),
        ("throttled", ClientError, False),
        ("server_error", ClientError, False),
    ],
)
def test_faults_on_the_way_are_asked_again_and_then_told(fault: str, error: type[Exception], there: bool) -> None:
    def act(client: Client) -> bool:
        with pytest.raises(error):
            client.put_item(**_put("a")["Put"])
        client.scheduler.wait(60)
        assert client.counted.total() == 3
        return bool(_row_there(client))

    assert simulated(act, faults=Faults(**{fault: 1.0})) is there


def _row_there(client: Client) -> bool:
    return client.model.get(("p", "a")) is not None


def test_rows_whose_time_to_live_is_over_stay_until_they_are_removed() -> None:
    def act(client: Client) -> list[bool]:
        _transact(client, _put("a", ttl=1767225600 + 10))
        client.scheduler.wait(20)
        before = _row_there(client)
        client.model.expire()
        return [before, _row_there(client)]

    assert simulated(act) == [True, False]


def test_a_crash_ends_a_function_and_not_what_it_had_asked_for() -> None:
    def act(client: Client) -> bool:
        writing = client.scheduler.spawn("writer", lambda: _transact(client, _put("a"), _put("b")))
        client.scheduler.wait(0.01)
        client.scheduler.kill(writing)
        client.scheduler.wait(5)
        assert isinstance(writing.error, Crash)
        return _seen(client) == {"a", "b"}

    assert any(simulated(act, SLOW, seed=seed) for seed in range(5))
