"""Tests that no route writes for a caller with a revoked token."""

import json
from typing import Any

import pytest

from domain.common.environment import now
from domain.identity.permissions import Permission
from handlers.registry import RouteFunction, functions
from local.invocation import invoke
from repositories.aws.clients import dynamodb
from repositories.aws.settings import settings
from repositories.dynamodb.table import Meter, Table
from repositories.dynamodb.token_revocation import revoke
from repositories.dynamodb.transaction import WriteTransaction
from tests.recorder import recording

WRITING = [
    function
    for function in functions()
    if function.declaration.writes and isinstance(function.declaration.permission, Permission)
]
TENANT = "revoked-tokens"


@pytest.fixture
def event(database: str, function: RouteFunction) -> dict[str, Any]:
    """Return a function's sample event with a new idempotency key, in a tenant where its caller's token is revoked."""
    event: dict[str, Any] = json.loads(function.event.read_text())
    claims = event["requestContext"]["authorizer"]["claims"]
    claims |= {"custom:tenant_id": TENANT, "iat": str(int(now().timestamp()))}
    tx = WriteTransaction(Table(dynamodb(), settings().table_name, Meter()))
    revoke(tx, TENANT, claims["sub"], now())
    tx.commit(deadline=float("inf"))
    return event


@pytest.mark.parametrize("key", ["good-key", "bad key", None])
@pytest.mark.parametrize("function", WRITING, ids=lambda function: function.name)
def test_a_revoked_token_writes_nothing(function: RouteFunction, event: dict[str, Any], key: str | None) -> None:
    headers = {name: value for name, value in event["headers"].items() if name != "Idempotency-Key"}
    event |= {"headers": headers | ({"Idempotency-Key": key} if key else {}), "multiValueHeaders": None}
    with recording() as recorder:
        response = invoke(function.name, event)
    assert (response["statusCode"], json.loads(response["body"])["code"]) == (401, "UNAUTHORIZED")
    assert response["multiValueHeaders"]["X-Capacity-Write"] == ["0"]
    assert not {action for action in recorder.used if action.value.endswith(("PutItem", "UpdateItem", "DeleteItem"))}
