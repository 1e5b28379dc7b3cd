"""Tests of the role that restricts a function to the rows of its caller's tenant, and of the client that uses it."""

from collections.abc import Iterator
from contextvars import Context
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from domain.common.environment import now
from repositories.aws import clients, tenant_client, tenant_credentials, ttl_cache
from tests.conftest import forget_clients
from tests.faults import refusal
from tests.shop import Shop


@dataclass
class Sts:
    """STS whose credentials the local database accepts; `until` has the expiry of each session, by token."""

    until: dict[str, datetime] = field(default_factory=dict)
    asked: list[dict[str, Any]] = field(default_factory=list)

    def assume_role(self, **asked: Any) -> Any:
        self.asked.append(asked)
        [tag] = asked["Tags"]
        token = f"{tag['Value']}-{len(self.asked)}"
        self.until[token] = now() + timedelta(seconds=asked["DurationSeconds"])
        return {"Credentials": {"AccessKeyId": "local", "SecretAccessKey": "local", "SessionToken": token}}


ROLE = "arn:aws:iam::123456789012:role/GetItemTenantRole"


@pytest.fixture
def sts(monkeypatch: pytest.MonkeyPatch, database: str) -> Iterator[Sts]:
    """Let functions assume a role for the tenant of each request."""
    monkeypatch.setenv("TENANT_ROLE", ROLE)
    forget_clients()
    tenant_credentials.known.clear()
    given = Sts()
    monkeypatch.setattr(tenant_client, "sts", lambda: given)
    yield given
    monkeypatch.undo()
    forget_clients()


@pytest.fixture
def tokens(sts: Sts) -> list[str]:
    """Return the session tokens of all requests to DynamoDB."""
    seen: list[str] = []

    def see(request: Any, **_: Any) -> None:
        seen.append(request.headers["X-Amz-Security-Token"].decode())

    clients.dynamodb().meta.events.register("before-send.dynamodb", see)
    return seen


def test_each_tenants_requests_are_signed_with_its_credentials_by_one_client(
    shop: Shop, sts: Sts, tokens: list[str]
) -> None:
    client, other = clients.dynamodb(), Shop(shop.send)
    for _ in range(2):
        for each in (shop, other):
            tokens.clear()
            each.add(stock=1)
            assert each.get("/items").status == 200  # several partitions, in threads
            assert {token.rpartition("-")[0] for token in tokens} == {each.tenant}
    assert clients.dynamodb() is client
    assert [(asked["RoleArn"], asked["Tags"]) for asked in sts.asked] == [
        (ROLE, [{"Key": "tenant", "Value": each.tenant}]) for each in (shop, other)
    ]


def test_outside_of_a_request_nothing_is_signed(sts: Sts) -> None:
    with pytest.raises(LookupError):
        Context().run(clients.dynamodb().list_tables)


def test_a_warm_function_keeps_the_credentials_of_a_thousand_tenants(sts: Sts) -> None:
    for number in range(1100):
        tenant_client.tenant_client(f"tenant-{number:04}")
    assert len(tenant_credentials.known) == 1000


def test_tenants_credentials_expire_by_the_wall_clock(sts: Sts, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other clocks do not advance while an execution environment is frozen."""
    for minutes, assumed in ((0, 1), (39, 1), (41, 2)):
        monkeypatch.setattr(ttl_cache, "now", lambda minutes=minutes: now() + timedelta(minutes=minutes))
        tenant_client.tenant_client("tenant-a")
        assert len(sts.asked) == assumed


def test_credentials_that_dynamodb_calls_expired_are_not_used_again(sts: Sts, shop: Shop) -> None:
    assert shop.get("/items").status == 200
    events = clients.dynamodb().meta.events
    events.register("before-send.dynamodb", _expired, unique_id="expired")
    refused = shop.get("/items")
    assert (refused.status, refused.code) == (503, "UNAVAILABLE")
    events.unregister("before-send.dynamodb", unique_id="expired")
    assert shop.get("/items").status == 200
    assert len(sts.asked) == 2


def _expired(**_: Any) -> Any:
    return refusal(400, "ExpiredTokenException")
