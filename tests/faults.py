"""Faults of DynamoDB, injected where botocore sends, so that nothing of ours is replaced."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any, Literal

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError
from botocore.httpsession import URLLib3Session

from repositories.clients import dynamodb

type Fault = Literal["lost on the way", "answer lost", "throttled", "conflict", "server error"]

FAULTS: tuple[Fault, ...] = ("lost on the way", "answer lost", "throttled", "conflict", "server error")


class _RawResponse:
    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self._body


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _refusal(status: int, kind: str, **fields: Any) -> AWSResponse:
    body = json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{kind}", "message": "injected", **fields})
    raw: Any = _RawResponse(body.encode())
    headers: Any = {"content-type": "application/x-amz-json-1.0"}
    return AWSResponse("", status, headers, raw)


def _answer(request: AWSPreparedRequest, fault: Fault) -> AWSResponse | None:
    match fault:
        case "lost on the way":
            raise ConnectTimeoutError(endpoint_url=request.url)
        case "answer lost":
            with closing(URLLib3Session()) as session:
                session.send(request)
            raise ReadTimeoutError(endpoint_url=request.url)
        case "throttled":
            return _refusal(400, "ProvisionedThroughputExceededException")
        case "server error":
            return _refusal(500, "InternalServerError")
        case "conflict":
            if _text(request.headers["X-Amz-Target"]).endswith(".PutItem"):
                return _refusal(400, "TransactionConflictException")
            actions = json.loads(_text(request.body)).get("TransactItems")
            if not actions:
                return None
            count = len(actions)
            reasons = [{"Code": "TransactionConflict"}] + [{"Code": "None"}] * (count - 1)
            return _refusal(400, "TransactionCanceledException", CancellationReasons=reasons)


@contextmanager
def injected(fault: Fault, *, at: int, times: int = 1) -> Iterator[list[str]]:
    """Let the calls number `at` to `at + times - 1` (from 0) fail; yields the log of all calls, as they come."""
    calls: list[str] = []

    def before_send(request: AWSPreparedRequest, **_: Any) -> AWSResponse | None:
        number = len(calls)
        calls.append(_text(request.headers["X-Amz-Target"]).partition(".")[2])
        return _answer(request, fault) if at <= number < at + times else None

    events: Any = dynamodb().meta.events
    events.register("before-send.dynamodb", before_send)
    try:
        yield calls
    finally:
        events.unregister("before-send.dynamodb", before_send)


@contextmanager
def interleaved(meanwhile: Callable[[], Any], before: str = "TransactWriteItems", number: int = 1) -> Iterator[None]:
    """Do something else between a command's reads and its transaction: a race that is lost each time.

    `before` and `number` name another call to come before.
    """
    events: Any = dynamodb().meta.events
    seen = 0

    def before_send(request: AWSPreparedRequest, **_: Any) -> None:
        nonlocal seen
        if _text(request.headers["X-Amz-Target"]).endswith(f".{before}"):
            seen += 1
            if seen == number:
                meanwhile()

    events.register("before-send.dynamodb", before_send)
    try:
        yield
    finally:
        events.unregister("before-send.dynamodb", before_send)
    assert seen >= number
