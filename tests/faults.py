"""DynamoDB faults, injected where botocore sends requests, so that no code under test is replaced."""

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from contextvars import Context
from dataclasses import dataclass, field
from typing import Any, Literal

import httpx
import pytest
from botocore import endpoint
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError
from botocore.httpsession import URLLib3Session

from domain.common.environment import Environment, using
from repositories.aws.clients import cognito, dynamodb

type Fault = Literal["lost on the way", "answer lost", "throttled", "conflict", "server error"]

FAULTS: tuple[Fault, ...] = ("lost on the way", "answer lost", "throttled", "conflict", "server error")


class _RawResponse:
    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self._body


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else value


def refusal(status: int, kind: str, **fields: Any) -> AWSResponse:
    """Return DynamoDB's response for an error."""
    body = json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{kind}", "message": "injected", **fields})
    raw: Any = _RawResponse(body.encode())
    headers: Any = {"content-type": "application/x-amz-json-1.0"}
    return AWSResponse("", status, headers, raw)


_sent: set[str] = set()
"""Client request tokens of transactions that were sent, and whose answers were lost."""


def _token(request: AWSPreparedRequest) -> str | None:
    token: str | None = json.loads(_text(request.body)).get("ClientRequestToken")
    return token


def _answer(request: AWSPreparedRequest, fault: Fault) -> AWSResponse | None:
    match fault:
        case "lost on the way":
            raise ConnectTimeoutError(endpoint_url=request.url)
        case "answer lost":
            if token := _token(request):
                _sent.add(token)
            with closing(URLLib3Session()) as session:
                session.send(request)
            raise ReadTimeoutError(endpoint_url=request.url)
        case "throttled":
            return refusal(400, "ProvisionedThroughputExceededException")
        case "server error":
            return refusal(500, "InternalServerError")
        case "conflict":
            return _conflict(request)


def _conflict(request: AWSPreparedRequest) -> AWSResponse | None:
    if _text(request.headers["X-Amz-Target"]).endswith(".PutItem"):
        return refusal(400, "TransactionConflictException")
    actions = json.loads(_text(request.body)).get("TransactItems")
    if not actions or _token(request) in _sent:
        return None  # DynamoDB never cancels a transaction under the token of one that took effect
    reasons = [{"Code": "TransactionConflict"}] + [{"Code": "None"}] * (len(actions) - 1)
    return refusal(400, "TransactionCanceledException", CancellationReasons=reasons)


@contextmanager
def _hooked(before_send: Callable[..., Any], *clients: Any) -> Iterator[None]:
    """Call `before_send` for each request of these clients (default: the table's); it may return a response."""
    buses: list[Any] = [client.meta.events for client in clients or (dynamodb(),)]
    for bus in buses:
        bus.register("before-send", before_send)
    try:
        yield
    finally:
        for bus in buses:
            bus.unregister("before-send", before_send)


@contextmanager
def injected(fault: Fault, *, at: int, times: int = 1) -> Iterator[list[str]]:
    """Make calls `at` to `at + times - 1` (counted from 0) fail; yield the list of all calls so far."""
    calls: list[str] = []

    def before_send(request: AWSPreparedRequest, **_: Any) -> AWSResponse | None:
        number = len(calls)
        calls.append(_text(request.headers["X-Amz-Target"]).partition(".")[2])
        return _answer(request, fault) if at <= number < at + times else None

    with _hooked(before_send), using(Hurried()), pytest.MonkeyPatch.context() as patch:
        patch.setattr(endpoint, "time", Hurried())  # botocore's pauses before it tries again
        yield calls


class Hurried(Environment):
    """A machine that never pauses."""

    def sleep(self, seconds: float) -> None:
        """Go on."""


@contextmanager
def before_call(number: int, other: Callable[[], Any], *clients: Any) -> Iterator[list[str]]:
    """Run `other` before call `number` (counted from 0) to the table or the user pool; yield the calls so far.

    Calls by `other` are not counted.
    """
    calls: list[str] = []
    busy = False

    def before_send(request: AWSPreparedRequest, **_: Any) -> None:
        nonlocal busy
        if busy:
            return
        calls.append(_text(request.headers["X-Amz-Target"]).rpartition(".")[2])
        if len(calls) - 1 == number:
            busy = True
            try:
                Context().run(other)  # without the IAM role of the interrupted function
            finally:
                busy = False

    with _hooked(before_send, *(clients or (dynamodb(), cognito()))):
        yield calls


@contextmanager
def interleaved(meanwhile: Callable[[], Any], before: str = "TransactWriteItems", number: int = 1) -> Iterator[None]:
    """Run `meanwhile` between a command's reads and its transaction, so that the command always loses the race.

    `before` and `number` (counted from 1) select another call before which to run it.
    """
    seen = 0

    def before_send(request: AWSPreparedRequest, **_: Any) -> None:
        nonlocal seen
        if _text(request.headers["X-Amz-Target"]).endswith(f".{before}"):
            seen += 1
            if seen == number:
                Context().run(meanwhile)

    with _hooked(before_send):
        yield
    assert seen >= number


type Rows = dict[tuple[str, str], dict[str, Any]]
"""Rows in DynamoDB JSON, by partition and sort key."""


@dataclass(slots=True)
class Torn:
    """Record of a torn read: the number of reads that can be torn, and the rows that differed in the torn one."""

    reads: int = 0
    changed: list[tuple[str, str]] = field(default_factory=list)


@contextmanager
def torn(
    other: Callable[[], Any], shown: Callable[[Sequence[tuple[str, str]]], Collection[tuple[str, str]]], *, at: int
) -> Iterator[Torn]:
    """Make read `at` (counted from 0) of several rows show part of another transaction.

    `other` commits the transaction during that read. Of the rows that it changed, the read returns those that `shown`
    selects by key as they are after it, the others as they were before. Query and BatchGetItem are read-committed, so
    this may happen in DynamoDB (developer guide, "Isolation levels for DynamoDB transactions"); Dynoxide never does it.
    Index reads are not torn: they are eventually consistent, and no decision depends on them.
    """
    met = Torn()

    def before_send(request: AWSPreparedRequest, **_: Any) -> AWSResponse | None:
        operation = _text(request.headers["X-Amz-Target"]).partition(".")[2]
        asked = json.loads(_text(request.body))
        if operation not in {"Query", "BatchGetItem"} or "IndexName" in asked:
            return None
        met.reads += 1
        if met.reads - 1 != at:
            return None
        before = _rows(request, operation, asked)
        Context().run(other)
        after = _rows(request, operation, asked)
        met.changed = sorted(key for key in before | after if before.get(key) != after.get(key))
        visible = set(shown(met.changed))
        mixed = {
            key: row
            for key in before | after
            if (row := (after if key in visible or key not in met.changed else before).get(key)) is not None
        }
        return _answer_with(operation, asked, mixed)

    with _hooked(before_send):
        yield met


@contextmanager
def unseen(hidden: Callable[[str, str], bool], *, reads: int) -> Iterator[None]:
    """Omit rows from the next `reads` reads of several rows, as if their committed transaction were not yet visible.

    `hidden` selects them by partition and sort key.
    """
    left = reads

    def before_send(request: AWSPreparedRequest, **_: Any) -> AWSResponse | None:
        nonlocal left
        operation = _text(request.headers["X-Amz-Target"]).partition(".")[2]
        asked = json.loads(_text(request.body))
        if operation not in {"Query", "BatchGetItem"} or "IndexName" in asked or left == 0:
            return None
        left -= 1
        seen = {key: row for key, row in _rows(request, operation, asked).items() if not hidden(*key)}
        return _answer_with(operation, asked, seen)

    with _hooked(before_send):
        yield


def _rows(request: AWSPreparedRequest, operation: str, asked: dict[str, Any]) -> Rows:
    """Return all rows that a read covers, regardless of its limit, by repeating the request."""
    whole = {name: value for name, value in asked.items() if name != "Limit"}
    # Not through botocore: its event hooks would run again. The embedded database accepts any signature.
    headers = {name: _text(value) for name, value in request.headers.items() if name.lower() != "content-length"}
    answer = httpx.post(str(request.url), headers=headers, content=json.dumps(whole)).raise_for_status().json()
    found = answer["Items"] if operation == "Query" else answer["Responses"][next(iter(asked["RequestItems"]))]
    return {(row["pk"]["S"], row["sk"]["S"]): row for row in found}


def _answer_with(operation: str, asked: dict[str, Any], rows: Rows) -> AWSResponse:
    if operation == "BatchGetItem":
        body = {"Responses": {next(iter(asked["RequestItems"])): list(rows.values())}, "UnprocessedKeys": {}}
        return _json(body)
    ordered = [rows[key] for key in sorted(rows, reverse=asked.get("ScanIndexForward") is False)]
    limit = asked.get("Limit", len(ordered))
    found: dict[str, Any] = {"Items": ordered[:limit]}
    if len(ordered) > limit:
        found["LastEvaluatedKey"] = {name: ordered[limit - 1][name] for name in ("pk", "sk")}
    return _json(found)


def _json(body: dict[str, Any]) -> AWSResponse:
    raw: Any = _RawResponse(json.dumps(body).encode())
    headers: Any = {"content-type": "application/x-amz-json-1.0"}
    return AWSResponse("", 200, headers, raw)
