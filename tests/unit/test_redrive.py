"""Tests of redrive: failed calls are repeated, and leave the queue only if they succeed."""

import io
import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from cli.redrive import redrive
from local.aws.scheduler import scheduled_event
from tests.conftest import mocked_aws

ARN = "arn:aws:lambda:eu-west-1:123456789012:function:Tradepost-dev-ExpireHolds"


class Functions:
    """Fake Lambda client that fails if the event asks for it; moto can run Lambda only in containers."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any]] = []

    def invoke(self, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803
        event = json.loads(Payload)
        self.calls.append((FunctionName, event))
        answer: dict[str, Any] = {"Payload": io.BytesIO(b'{"errorMessage": "again"}' if event.get("bad") else b"{}")}
        return answer | ({"FunctionError": "Unhandled"} if event.get("bad") else {})


@pytest.fixture
def sqs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    with mocked_aws():
        client = boto3.client("sqs")
        with suppress(client.exceptions.QueueDoesNotExist):
            client.delete_queue(QueueUrl=client.get_queue_url(QueueName="failed")["QueueUrl"])
        client.create_queue(QueueName="failed")
        yield client


def _destination(event: dict[str, Any]) -> str:
    context = {"functionArn": f"{ARN}:live", "condition": "RetriesExhausted"}
    return json.dumps({"requestContext": context, "requestPayload": event, "responsePayload": {"errorMessage": "x"}})


def _send(sqs: Any, body: str, **attributes: str) -> None:
    named = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}
    sqs.send_message(
        QueueUrl=sqs.get_queue_url(QueueName="failed")["QueueUrl"], MessageBody=body, MessageAttributes=named
    )


def test_calls_of_both_forms_are_made_again(sqs: Any) -> None:
    _send(sqs, _destination({"n": 1}))
    _send(sqs, _destination({"n": 2, "bad": True}))
    _send(sqs, json.dumps({"n": 3}), TARGET_ARN=ARN, ERROR_MESSAGE="throttled")
    functions = Functions()
    redriven = list(redrive(sqs, functions, "failed"))
    assert sorted(event["n"] for _, event in functions.calls) == [1, 2, 3]
    assert {name for name, _ in functions.calls} == {ARN, f"{ARN}:live"}
    assert sorted((each.call.reason, bool(each.error)) for each in redriven) == [
        ("throttled", False),
        ("x", False),
        ("x", True),
    ]
    url = sqs.get_queue_url(QueueName="failed")["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    left = int(attributes["ApproximateNumberOfMessages"]) + int(attributes["ApproximateNumberOfMessagesNotVisible"])
    assert left == 1


def test_calls_of_a_schedule_are_made_again_once(sqs: Any) -> None:
    for minute in range(5):
        _send(sqs, _destination(scheduled_event(datetime(2026, 11, 30, 12, minute, tzinfo=UTC))))
    functions = Functions()
    redriven = list(redrive(sqs, functions, "failed"))
    assert len(functions.calls) == 1
    assert [each.error for each in redriven] == [""] * 5
    assert list(redrive(sqs, functions, "failed")) == []


def test_a_function_that_is_busy_keeps_its_message(sqs: Any) -> None:
    class Busy:
        def invoke(self, **_: Any) -> Any:
            error: Any = {"Code": "TooManyRequestsException", "Message": "Rate Exceeded."}
            raise ClientError({"Error": error}, "Invoke")

    _send(sqs, _destination({"n": 1}))
    [redriven] = redrive(sqs, Busy(), "failed")
    assert "TooManyRequestsException" in redriven.error


def test_a_message_of_nobody_is_told(sqs: Any) -> None:
    _send(sqs, "{}")
    with pytest.raises(LookupError, match="which function"):
        list(redrive(sqs, Functions(), "failed"))
