"""Tests of tenant isolation: every route called as tenant B with the ids of tenant A."""

import json
from typing import Any

import pytest

from domain.identity.permissions import Permission
from handlers.http.declaration import PUBLIC
from handlers.registry import RouteFunction, functions
from local.invocation import invoke
from local.samples.data import (
    ACCOUNTS,
    CUSTOMER,
    ENDPOINT_IDS,
    ITEM_ID,
    LAST_ITEM_ID,
    ORDERS,
    OWNER,
    TENANT,
    TRANSACTION_ID,
    add_samples,
)
from repositories.aws import clients
from repositories.aws.clients import dynamodb
from tests.recorder import recording
from tests.shop import Shop

ABSENT = {
    ITEM_ID: "item_01JD3ZK8Q4M5X6Y7Z8A9B0C1D9",
    LAST_ITEM_ID: "item_01JD3ZK8Q4M5X6Y7Z8A9B0C1D9",
    CUSTOMER: "00000000-0000-4000-8000-000000000001",
} | {known: known.replace("_01", "_00") for known in (*ORDERS, *ACCOUNTS, *ENDPOINT_IDS, TRANSACTION_ID)}
names_something = pytest.mark.parametrize(
    "function",
    [
        each
        for each in functions()
        if isinstance(each.declaration.permission, Permission)
        and "{" in each.path
        and each.name != "SetPaymentProvider"  # every tenant has the provider that it names
    ],
    ids=lambda function: function.name,
)


@pytest.fixture(scope="module", autouse=True)
def samples(database: str) -> None:
    """Add the sample tenant, tenant A."""
    if not dynamodb().get_item(TableName="tradepost", Key=_key(f"T#{TENANT}#TENANT", "TENANT")).get("Item"):
        add_samples()


def _key(pk: str, sk: str) -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def _as_tenant(function: RouteFunction, tenant: str, ids: dict[str, str] | None = None) -> dict[str, Any]:
    text = function.event.read_text()
    for known, other in (ids or {}).items():
        text = text.replace(known, other)
    event: dict[str, Any] = json.loads(text)
    event["requestContext"]["authorizer"]["claims"]["custom:tenant_id"] = tenant
    return event


def _told(response: dict[str, Any], ids: dict[str, str]) -> tuple[int, str]:
    body = str(response["body"])
    for known, other in ids.items():
        body = body.replace(known, other)
    return response["statusCode"], body


@names_something
def test_what_another_tenant_has_is_like_what_nobody_has(function: RouteFunction) -> None:
    """Both answers are the same, and no call accesses other tenants' partitions."""
    with recording() as recorder:
        theirs = invoke(function.name, _as_tenant(function, "tenant-b"))
        nobodys = invoke(function.name, _as_tenant(function, "tenant-b", ABSENT))
    assert _told(theirs, ABSENT) == _told(nobodys, {})
    assert theirs["statusCode"] == 404
    assert recorder.tenants == {"tenant-b"}


def test_lists_cursors_keys_and_markers_are_each_tenants_own(database: str, shop: Shop) -> None:
    sample = Shop(shop.send, tenant=TENANT, user=OWNER)
    for path in ("/items?", "/users?", "/orders?", "/ledger/accounts?", "/ledger/transactions?"):
        assert sample.walk(1, path)
        assert shop.walk(1, path) == []
        cursor = sample.get(f"{path}limit=1").json["next_cursor"]
        if cursor:
            assert shop.get(f"{path}cursor={cursor}").code == "CURSOR_INVALID"
    assert sample.get(f"/orders?customer_id={CUSTOMER}").json["items"]
    assert shop.get(f"/orders?customer_id={CUSTOMER}").json["items"] == []
    assert shop.order({ITEM_ID: 1}).code == "NOT_FOUND"
    assert shop.get("/items?sku=MUG-RED").json["items"] == []
    assert shop.get("/users?email=owner@example.com").json["items"] == []
    body = {"name": "Enamel mug", "sku": "MUG-RED", "price": {"amount": "1", "currency": "EUR"}}
    first = Shop(shop.send, tenant=TENANT, user=OWNER).post("/items", body | {"sku": "X-1"}, key="k")
    same_key = Shop(shop.send, tenant=shop.tenant, user=OWNER).post("/items", body, key="k")
    assert (first.status, same_key.status) == (201, 201)
    assert "idempotent-replayed" not in same_key.headers


def test_public_routes_have_no_tenant() -> None:
    for function in functions():
        if function.declaration.permission == PUBLIC:
            assert function.resource == "meta"


def test_cursor_keys_are_rotated_without_failing_open_cursors(database: str) -> None:
    secret = clients.secretsmanager()
    name = secret.create_secret(Name="rotating", SecretString="first")["Name"]

    def step(what: str, version: str) -> None:
        invoke("RotateCursorKeys", {"SecretId": name, "ClientRequestToken": version, "Step": what})

    known = ["first"]
    for number in range(3):
        version = f"0000000{number}-90ab-cdef-fedc-ba987SECRET1"
        for what in ("createSecret", "createSecret", "setSecret", "testSecret", "finishSecret", "finishSecret"):
            step(what, version)
        keys = secret.get_secret_value(SecretId=name, VersionStage="AWSCURRENT")["SecretString"].split(",")
        assert len(keys) == 2
        assert keys[1] == known[0]
        assert keys[0] not in known
        known = keys
