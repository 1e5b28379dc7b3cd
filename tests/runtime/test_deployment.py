"""Tests of the unchanged app, deployed into a local AWS that enforces roles: `uv run pytest -m deploy`."""

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from handlers.registry import functions
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
