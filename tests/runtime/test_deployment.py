"""Tests of the unchanged app, deployed into a local AWS that enforces roles: `uv run pytest -m deploy`."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from cli.restore import Restore
from cli.restore.stack import Stack
from cli.restore.tables import Tables
from handlers.registry import all_functions, functions
from infra.rehearsal.deployment import Deployment, deploy
from infra.rehearsal.ministack import ministack
from infra.rehearsal.smoke_test import Check, Client, SmokeTest

pytestmark = pytest.mark.deploy


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    folder = tmp_path_factory.mktemp("aws")
    with ministack(folder) as endpoint:
        yield deploy(endpoint, folder)


@pytest.fixture(scope="module")
def checks(deployment: Deployment) -> list[Check]:
    return list(SmokeTest(deployment).checks())


@pytest.fixture
def owner(deployment: Deployment, checks: list[Check]) -> Client:
    return Client(deployment.url, deployment.token("acme", "olga@example.com"))


def test_the_tour_goes_as_it_should(checks: list[Check]) -> None:
    assert [check for check in checks if not check.passed] == []


def test_the_tour_comes_past_every_route(checks: list[Check]) -> None:
    for function in functions():
        pattern = re.compile(f"{function.declaration.method} {re.sub('{[^}]*}', '[^/]+', function.path)}")
        assert any(pattern.fullmatch(check.request) for check in checks), function.name


def test_the_gateway_answers_as_the_local_one_does(deployment: Deployment) -> None:
    """From the definition of the API, but added to the local AWS by API calls (infra/rehearsal/api_definition.py)."""
    other, unknown = (httpx.request(method, f"{deployment.url}/{path}") for method, path in _REFUSED)
    assert (other.status_code, other.headers["Allow"]) == (405, "GET, POST")
    assert unknown.status_code == 404
    signed_out = httpx.get(f"{deployment.url}/items")
    assert signed_out.status_code == 401
    codes = ("METHOD_NOT_ALLOWED", "NOT_FOUND", "UNAUTHORIZED")
    for answer, code in zip((other, unknown, signed_out), codes, strict=True):
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert f'"code": "{code}"' in answer.text  # The local AWS fills in few variables of templates.
    preflight = httpx.options(f"{deployment.url}/items", headers={"Origin": "https://shop.example"})
    assert preflight.status_code == 204
    assert preflight.headers["Access-Control-Allow-Methods"] == "GET, POST"
    assert preflight.headers["Access-Control-Allow-Origin"] == "*"


_REFUSED = (("PUT", "items"), ("GET", "nothing/here"))


def _role_of(deployment: Deployment, function: str) -> tuple[Any, str, str, dict[str, Any]]:
    iam = deployment.client("iam")
    deployed = deployment.client("lambda").get_function_configuration(FunctionName=f"Tradepost-dev-{function}")
    name = deployed["Role"].rpartition("/")[2]
    [policy] = iam.list_role_policies(RoleName=name)["PolicyNames"]
    document = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
    return iam, name, policy, json.loads(document) if isinstance(document, str) else document


@pytest.mark.parametrize(
    ("function", "action", "send"),
    [
        ("GetItem", "dynamodb:Query", lambda owner: owner.call("GET", "/items/item_01JD3ZK8Q4M5X6Y7Z8A9B0C1D2")),
        (
            "OpenAccount",
            "dynamodb:PutItem",
            lambda owner: owner.call(
                "POST", "/ledger/accounts", {"code": "x", "name": "X", "type": "asset", "currency": "EUR"}
            ),
        ),
    ],
)
def test_a_role_that_lacks_an_action_is_refused(
    deployment: Deployment, owner: Client, function: str, action: str, send: Any
) -> None:
    iam, role, policy, document = _role_of(deployment, function)
    lacking = json.loads(json.dumps(document).replace(action, "dynamodb:DescribeTable"))
    iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=json.dumps(lacking))
    refused: httpx.Response = send(owner)
    iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=json.dumps(document))
    assert (refused.status_code, refused.json()["code"]) == (500, "INTERNAL_ERROR")
    assert send(owner).status_code != 500


def test_the_role_of_a_read_cannot_write(deployment: Deployment) -> None:
    """With the credentials of a read route's function, a write is denied."""
    iam, role, _, _ = _role_of(deployment, "GetItem")
    assumed = deployment.client("sts").assume_role(
        RoleArn=iam.get_role(RoleName=role)["Role"]["Arn"], RoleSessionName="test"
    )["Credentials"]
    import boto3

    create: Any = boto3.client
    table = create(
        "dynamodb",
        endpoint_url=deployment.endpoint,
        region_name="us-east-1",
        aws_access_key_id=assumed["AccessKeyId"],
        aws_secret_access_key=assumed["SecretAccessKey"],
        aws_session_token=assumed["SessionToken"],
    )
    name = deployment.outputs["TableName"]
    key = {"pk": {"S": "T#acme#TENANT"}, "sk": {"S": "TENANT"}}
    values = {":pk": key["pk"]}
    assert table.query(TableName=name, KeyConditionExpression="pk = :pk", ExpressionAttributeValues=values)["Items"]
    with pytest.raises(table.exceptions.ClientError, match="AccessDenied"):
        table.put_item(TableName=name, Item=key)


class _StoppedError(Exception):
    """The process was ended here."""


class _Calls:
    """Client that counts calls and ends the process before one of them."""

    def __init__(self, client: Any, counted: list[str], end_before: int) -> None:
        self._client, self._counted, self._end_before = client, counted, end_before

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        if name in {"exceptions", "get_paginator"}:
            return found

        def call(**asked: Any) -> Any:
            self._counted.append(name)
            if len(self._counted) == self._end_before:
                raise _StoppedError
            return found(**asked)

        return call


def _restore(deployment: Deployment, folder: Path, end_before: int, audited: list[str]) -> int:
    """Run a restore that ends before a call, or does not end (0), and return the number of calls."""
    counted: list[str] = []

    def client(service: str) -> Any:
        return _Calls(deployment.client(service), counted, end_before)

    tables = Tables(client("dynamodb"), pause=lambda: None)
    with suppress(_StoppedError):
        restore = Restore(_stack(client), tables, AT, folder / "restore.json", audited.append, say=lambda _: None)
        restore.replace(restore.rehearse())
    return len(counted)


def _stack(client: Callable[[str], Any]) -> Stack:
    return Stack("Tradepost-dev", client("cloudformation"), client("lambda"), client("scheduler"), drain=lambda: None)


AT = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)


def _rows(deployment: Deployment) -> list[str]:
    pages = deployment.client("dynamodb").get_paginator("scan").paginate(TableName=deployment.outputs["TableName"])
    return sorted(json.dumps(row, sort_keys=True, default=str) for page in pages for row in page["Items"])


def test_a_restore_that_is_interrupted_before_any_call_goes_on_and_leaves_all_as_it_was(
    deployment: Deployment, owner: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The local AWS restores the present state, whatever the moment."""
    table, dynamodb = deployment.outputs["TableName"], deployment.client("dynamodb")
    # What the local AWS leaves out of the template.
    dynamodb.update_time_to_live(TableName=table, TimeToLiveSpecification={"Enabled": True, "AttributeName": "ttl"})
    dynamodb.update_continuous_backups(
        TableName=table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    dynamodb.update_table(TableName=table, DeletionProtectionEnabled=True)
    arn = dynamodb.describe_table(TableName=table)["Table"]["TableArn"]
    dynamodb.tag_resource(ResourceArn=arn, Tags=[{"Key": "team", "Value": "shop"}])
    settings, rows = Tables(dynamodb).settings(table), _rows(deployment)
    stack = _stack(deployment.client)
    state = stack.state()
    assert {f"Tradepost-dev-{each.name}" for each in all_functions()} == set(state["functions"])
    assert settings["ttl"] == "ttl"
    audited: list[str] = []
    _restore(deployment, tmp_path, 0, audited)
    real, end_before = Stack._resources, 0

    def few(self: Stack, name: str) -> Iterator[tuple[str, str]]:
        """Leave most functions out: stopping each of them takes its time, and one is as the other."""
        found = real(self, name)
        return (each for each in found if each[0] != "AWS::Lambda::Function" or each[1].endswith("-ListItems"))

    monkeypatch.setattr(Stack, "_resources", few)
    while True:
        end_before += 1
        file = tmp_path / str(end_before)
        file.mkdir()
        ended = _restore(deployment, file, end_before, audited) == end_before
        if ended:
            _restore(deployment, file, 0, audited)
        assert not (file / "restore.json").exists()
        if end_before % 10 == 1 or not ended:
            assert _rows(deployment) == rows
            assert Tables(dynamodb).settings(table) == settings
        if not ended:
            break
    monkeypatch.undo()
    assert stack.state() == state
    assert end_before > 40
    assert audited[-1] == table
    assert owner.call("GET", "/items").status_code == 200


def test_a_restore_can_be_aborted_until_the_table_is_deleted(deployment: Deployment, tmp_path: Path) -> None:
    stack, tables = _stack(deployment.client), Tables(deployment.client("dynamodb"), pause=lambda: None)
    restore = Restore(stack, tables, AT, tmp_path / "restore.json", lambda _: None, say=lambda _: None)
    state = stack.state()
    plan = restore.rehearse()
    plan.stopped = state
    plan.enter("back up")
    stack.stop(state)
    assert stack.state() != state
    restore.abort()
    assert stack.state() == state
    with pytest.raises(LookupError, match="no restore"):
        restore.abort()
    restore.rehearse().enter("delete")
    with pytest.raises(LookupError, match="deleted"):
        restore.abort()


def test_a_resumed_restore_stops_functions_again_and_backs_up_what_was_written_since(
    deployment: Deployment, owner: Client, tmp_path: Path
) -> None:
    """Someone started the functions by hand between the backup and the deletion."""
    stack, tables = _stack(deployment.client), Tables(deployment.client("dynamodb"), pause=lambda: None)
    restore = Restore(stack, tables, AT, tmp_path / "restore.json", lambda _: None, say=lambda _: None)
    plan = restore.rehearse()
    plan.stopped = stack.state()
    plan.backups = {table: tables.back_up(table) for table in (plan.table, plan.copy)}
    first = dict(plan.backups)
    plan.enter("delete")
    stopped: list[str] = []

    class Watched(Stack):
        def stop(self, state: dict[str, Any]) -> None:
            stopped.append("stopped")

    again = Restore(
        Watched("Tradepost-dev", stack.cloudformation, stack.lambda_, stack.scheduler, drain=lambda: None),
        tables,
        AT,
        restore.file,
        lambda _: None,
        say=lambda _: None,
    )
    resumed = again.rehearse()
    again.replace(resumed)
    assert stopped == ["stopped"]
    assert resumed.backups[plan.table] != first[plan.table]
    assert owner.call("GET", "/items").status_code == 200
