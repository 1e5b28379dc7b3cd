"""botocore's DynamoDB client, on the model: latencies, faults on the way, and what the SDK does about them.

The SDK asks up to three times when it is throttled, refused with a server error, or gets no answer in two seconds; it
does not ask again when a transaction is cancelled or a row is held (AWS SDKs reference guide, "Retry behavior", and
botocore's configuration in `repositories.aws.clients`).
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from types import SimpleNamespace
from typing import Any, NoReturn

import botocore.session
from botocore.exceptions import ClientError, ReadTimeoutError

from repositories.dynamodb.codec import decode, encode
from tests.simulation.world.model import Action, Commit, Model, Reason
from tests.simulation.world.scheduler import BEGINNING, Scheduler

ATTEMPTS = 3
TIMEOUT = 2.0
_PAGE = 40
"""Rows of a page where nothing else limits it: small, so that paging happens."""


@dataclass(frozen=True, slots=True)
class Faults:
    """How often a call fails, each a share of all calls."""

    lost: float = 0.0
    """It never arrives."""
    unanswered: float = 0.0
    """It is done, and the answer is lost."""
    late: float = 0.0
    """It arrives long after it was given up and asked again."""
    throttled: float = 0.0
    server_error: float = 0.0


class _Unanswered(Exception):
    """No answer came in time."""


@dataclass(slots=True)
class Client:
    """What `repositories` calls."""

    scheduler: Scheduler
    model: Model
    faults: Faults
    counted: Counter[str] = field(default_factory=Counter)
    """Faults by kind."""
    meta: Any = field(default_factory=lambda: SimpleNamespace(events=SimpleNamespace(register=lambda *_: None)))

    @property
    def exceptions(self) -> Any:
        """The classes of errors that the real client raises."""
        return _real().exceptions

    def get_item(self, **asked: Any) -> dict[str, Any]:
        """See the DynamoDB API reference, as for all that follow."""
        row = self._call("GetItem", lambda: self.model.get(_key(asked["Key"])))
        return {"ConsumedCapacity": _UNIT} | ({"Item": encode(row)} if row else {})

    def describe_table(self, **_asked: Any) -> dict[str, Any]:
        return {"Table": {"CreationDateTime": self._call("DescribeTable", lambda: BEGINNING)}}

    def put_item(self, **asked: Any) -> dict[str, Any]:
        return self._write("PutItem", _action("Put", asked))

    def update_item(self, **asked: Any) -> dict[str, Any]:
        return self._write("UpdateItem", _action("Update", asked))

    def _write(self, operation: str, action: Action) -> dict[str, Any]:
        reason = self._call(operation, lambda: self.model.write(action))
        if reason.code != "None":
            name = "TransactionConflictException" if reason.code == "TransactionConflict" else f"{reason.code}Exception"
            raise self._error(name, operation, **({"Item": encode(reason.row)} if reason.row else {}))
        return {"ConsumedCapacity": _UNIT}

    def batch_get_item(self, **asked: Any) -> dict[str, Any]:
        [(table, request)] = asked["RequestItems"].items()
        chance, share = self.scheduler.chance, self.model.profile.unprocessed
        found: list[dict[str, Any]] = []
        unread: list[dict[str, Any]] = []
        for key in request["Keys"]:
            if chance.random() < share:
                unread.append(key)
                continue
            # One row after the other.
            row = self._call("BatchGetItem", lambda key=key: self.model.get(_key(key)), hop=not found)  # type: ignore[misc]
            if row:
                found.append(encode(row))
            if chance.random() < 0.3:
                self.scheduler.wait(chance.random() * self.model.profile.latency)
        left = {table: request | {"Keys": unread}} if unread else {}
        return {"Responses": {table: found}, "UnprocessedKeys": left, "ConsumedCapacity": [_UNIT]}

    def query(self, **asked: Any) -> dict[str, Any]:
        values = decode(asked["ExpressionAttributeValues"])
        index, backwards = asked.get("IndexName"), asked.get("ScanIndexForward") is False
        rows = self._call(
            "Query",
            lambda: self.model.query(asked["KeyConditionExpression"], values, index, backwards=backwards),
        )
        return self._page(rows, asked, f"{index}sk" if index else "sk", backwards=backwards)

    def transact_get_items(self, **asked: Any) -> dict[str, Any]:
        keys = [_key(each["Get"]["Key"]) for each in asked["TransactItems"]]
        rows = self._call("TransactGetItems", lambda: self.model.snapshot(keys))
        reasons = [row for row in rows if isinstance(row, Reason)]
        if reasons:
            raise self._cancelled("TransactGetItems", reasons)
        answers = [{"Item": encode(row)} if isinstance(row, dict) else {} for row in rows]
        return {"Responses": answers, "ConsumedCapacity": [_UNIT]}

    def transact_write_items(self, **asked: Any) -> dict[str, Any]:
        actions = [_action(*each.popitem()) for each in (dict(item) for item in asked["TransactItems"])]
        content = json.dumps(asked["TransactItems"], sort_keys=True, default=str)
        chance = self.scheduler.chance

        def transact() -> Commit | list[Reason]:
            if chance.random() < self.faults.throttled:
                self.counted["throttled"] += 1
                return [Reason("ThrottlingError"), *(Reason() for _ in actions[1:])]
            decided = self.model.transact(actions, asked["ClientRequestToken"], content)
            if isinstance(decided, Commit):
                self.scheduler.wait(max(0.0, decided.complete - self.scheduler.time))
            return decided

        decided = self._call("TransactWriteItems", transact)
        if isinstance(decided, list):
            raise self._cancelled("TransactWriteItems", decided)
        return {"ConsumedCapacity": [_UNIT]}

    def get_paginator(self, name: str) -> Any:
        """Return what walks all pages of a query."""
        call: Callable[..., dict[str, Any]] = getattr(self, name)

        def paginate(**asked: Any) -> Iterator[dict[str, Any]]:
            while True:
                page = call(**asked)
                yield page
                if "LastEvaluatedKey" not in page:
                    return
                asked = asked | {"ExclusiveStartKey": page["LastEvaluatedKey"]}

        return SimpleNamespace(paginate=paginate)

    def _page(self, rows: list[Any], asked: Mapping[str, Any], sort: str, *, backwards: bool) -> dict[str, Any]:
        after = asked.get("ExclusiveStartKey")
        if after:
            place = (decode(after)[sort], *_key(after))
            rows = [
                row
                for row in rows
                if ((row[sort], row["pk"], row["sk"]) < place) == backwards and _place(row, sort) != place
            ]
        limit = asked.get("Limit", _PAGE)
        page: dict[str, Any] = {"Items": [encode(row) for row in rows[:limit]], "ConsumedCapacity": _UNIT}
        if len(rows) > limit:
            last = rows[limit - 1]
            page["LastEvaluatedKey"] = encode({name: last[name] for name in {"pk", "sk", sort}})
        return page

    def _call[T](self, operation: str, act: Callable[[], T], *, hop: bool = True) -> T:
        """Do something as the SDK has it done; `hop` is whether it is a request of its own."""
        if not hop:
            return act()
        for attempt in range(ATTEMPTS):
            last = attempt + 1 == ATTEMPTS
            try:
                return self._request(operation, act)
            except _Unanswered:
                if last:
                    raise ReadTimeoutError(endpoint_url="simulated") from None
            except ClientError as error:
                if last or error.response["Error"]["Code"] not in {_THROTTLED, _BROKEN}:
                    raise
            self.scheduler.wait(self.scheduler.chance.random() * 0.1 * 2**attempt)
        raise AssertionError("unreachable")

    def _request[T](self, operation: str, act: Callable[[], T]) -> T:
        scheduler, faults, draw = self.scheduler, self.faults, self.scheduler.chance.random()
        scheduler.wait(self._latency())
        for name in ("lost", "unanswered", "late", "throttled", "server_error"):
            draw -= getattr(faults, name)
            if draw < 0:
                self.counted[name.replace("_", " ")] += 1
                self._failing(name, operation, act)
        result = act()
        scheduler.wait(self._latency())
        return result

    def _failing(self, fault: str, operation: str, act: Callable[[], Any]) -> NoReturn:
        if fault in {"throttled", "server_error"}:
            raise self._error(_THROTTLED if fault == "throttled" else _BROKEN, operation)
        if fault == "unanswered":
            act()
        if fault == "late":
            self.scheduler.spawn(f"late {operation}", partial(self._later, act))
        self.scheduler.wait(TIMEOUT)
        raise _Unanswered

    def _later(self, act: Callable[[], Any]) -> None:
        self.scheduler.wait(TIMEOUT + self.scheduler.chance.random() * 20)
        act()

    def _latency(self) -> float:
        """Return how long a way takes: mostly milliseconds, now and then much longer."""
        chance = self.scheduler.chance
        draw = chance.random()
        head = 200 if draw < 0.002 else 20 if draw < 0.03 else 1
        return chance.expovariate(1 / self.model.profile.latency) * head

    def _error(self, code: str, operation: str, **fields: Any) -> Exception:
        response: Any = {"Error": {"Code": code, "Message": "simulated"}, **fields}
        kind = getattr(self.exceptions, code, ClientError)
        error: Exception = kind(response, operation)
        return error

    def _cancelled(self, operation: str, reasons: list[Any]) -> Exception:
        told = [{"Code": reason.code} | ({"Item": encode(reason.row)} if reason.row else {}) for reason in reasons]
        return self._error("TransactionCanceledException", operation, CancellationReasons=told)


_UNIT = {"CapacityUnits": 1.0}
_THROTTLED, _BROKEN = "ProvisionedThroughputExceededException", "InternalServerError"


@cache
def _real() -> Any:
    """A real client, which is never called: its classes of errors are wanted."""
    return botocore.session.get_session().create_client(
        "dynamodb", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
    )


def _place(row: Mapping[str, Any], sort: str) -> tuple[str, str, str]:
    return row[sort], row["pk"], row["sk"]


def _key(wire: Mapping[str, Any]) -> tuple[str, str]:
    return wire["pk"]["S"], wire["sk"]["S"]


def _action(verb: str, asked: Mapping[str, Any]) -> Action:
    row = decode(asked["Item"]) if "Item" in asked else None
    key = (row["pk"], row["sk"]) if row else _key(asked["Key"])
    return Action(
        verb,
        key,
        row,
        _named(asked.get("UpdateExpression", ""), asked.get("ExpressionAttributeNames", {})),
        asked.get("ConditionExpression", ""),
        decode(asked.get("ExpressionAttributeValues", {})),
    )


def _named(expression: str, names: Mapping[str, str]) -> str:
    return re.sub(r"#\w+", lambda found: names[found[0]], expression)
