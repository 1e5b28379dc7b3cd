"""The rules of the model that Dynoxide does not have."""

from functools import partial
from itertools import pairwise
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from repositories.dynamodb.codec import encode
from tests.simulation.on_model import TABLE, simulated
from tests.simulation.world.client import Client, Faults
from tests.simulation.world.model import Profile
from tests.simulation.world.scheduler import Crash

SLOW = Profile(latency=0.0001, commit_spread=1.0, slow_commits=0.0, index_lag=0.5, long_lags=0.0, unprocessed=0.0)


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
