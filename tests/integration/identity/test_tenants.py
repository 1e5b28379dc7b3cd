"""Tests of tenants and the operators who create them."""

from typing import Any

import pytest

from repositories.aws.clients import cognito, dynamodb
from repositories.aws.settings import settings
from repositories.dynamodb import keys
from repositories.dynamodb.codec import encode
from repositories.dynamodb.table import Meter, Table
from repositories.identity.user_pool import username
from tests.integration.identity.common import claims_for, pool_user
from tests.people import Operator, new_tenant
from tests.shop import Shop, new_item

UNTAXED = {"tax": {"prices_include_tax": False, "rates": []}, "shipping_options": []}


def test_an_operator_makes_a_tenant_with_its_owner(operator: Operator, shop: Shop) -> None:
    asked = new_tenant(currencies=["EUR"], settings={"hold_minutes": 30})
    created = operator.call("POST", "/tenants", asked, Idempotency_Key="k")
    assert created.status == 201, created.body
    assert created.headers["location"] == f"/v1/tenants/{asked['id']}"
    assert created.json["settings"] == {"hold_minutes": 30, "allow_sign_up": False} | UNTAXED
    again = operator.call("POST", "/tenants", asked, Idempotency_Key="k")
    assert (again.body, again.headers["idempotent-replayed"]) == (created.body, "true")
    assert operator.call("POST", "/tenants", asked).code == "INVALID_STATE"
    assert operator.call("GET", f"/tenants/{asked['id']}").json == created.json
    in_pool = pool_user(asked["id"], "owner@example.com")
    assert in_pool
    assert (in_pool["groups"], in_pool["custom:tenant_id"]) == (["owner"], asked["id"])
    owner = Shop(shop.send, tenant=asked["id"], user=in_pool["sub"])
    assert owner.get("/users/me").json["email"] == "owner@example.com"
    assert claims_for(asked["id"], "owner@example.com", owner.user) == {
        "claimsToAddOrOverride": {"custom:tenant_id": asked["id"]},
        "groupOverrideDetails": {"groupsToOverride": ["owner"], "iamRolesToOverride": []},
    }


def test_operators_list_tenants_newest_first(operator: Operator) -> None:
    made = [operator.call("POST", "/tenants", new_tenant()).json for _ in range(3)]
    path = f"/tenants/{made[0]['id']}"
    made[0] = operator.call("PATCH", path, {"name": "Renamed"}, If_Match='"1"').json
    found: list[dict[str, Any]] = []
    cursor = ""
    while not {each["id"] for each in made} <= {each["id"] for each in found}:
        page = operator.call("GET", f"/tenants?limit=2{cursor}").json
        found += page["items"]
        cursor = f"&cursor={page['next_cursor']}"
    assert [each for each in found if each in made] == sorted(made, key=lambda each: each["created_at"], reverse=True)
    assert len({each["id"] for each in found}) == len(found)
    assert operator.call("GET", "/tenants?limit=2&cursor=x").code == "CURSOR_INVALID"


def test_a_tenant_is_changed_by_version(operator: Operator) -> None:
    tenant = operator.call("POST", "/tenants", new_tenant()).json
    path = f"/tenants/{tenant['id']}"
    patch = {"name": "Acme Two", "settings": {"allow_sign_up": True}}
    changed = operator.call("PATCH", path, patch, If_Match='"1"')
    assert (changed.status, changed.json["name"], changed.etag) == (200, "Acme Two", '"2"')
    assert changed.json["settings"] == {"hold_minutes": 15, "allow_sign_up": True} | UNTAXED
    assert operator.call("PATCH", path, {"name": "X"}, If_Match='"1"').code == "PRECONDITION_FAILED"
    assert operator.call("GET", "/tenants/nobody-has-this").code == "NOT_FOUND"
    assert operator.call("GET", "/tenants/Not%23One").code == "NOT_FOUND"


@pytest.mark.parametrize("tenant_id", ["a#b", "ACME", "x" * 41, "ab", "", "ü-shop", None, 7])
def test_a_bad_tenant_id_is_refused(operator: Operator, tenant_id: Any) -> None:
    answer = operator.call("POST", "/tenants", new_tenant(id=tenant_id))
    assert (answer.status, answer.pointers) == (400, ["/id"])
    assert answer.writes == 0


def test_only_a_signature_of_this_very_request_opens_the_tenants(operator: Operator, shop: Shop) -> None:
    raw = b""
    good = operator.signed("GET", "/v1/tenants/acme", raw, {})
    assert operator.send("GET", "/v1/tenants/acme", good, raw).status == 404
    bad: list[tuple[str, str, dict[str, str], bytes]] = [
        ("GET", "/v1/tenants/other", good, raw),
        ("PATCH", "/v1/tenants/acme", good, raw),
        ("GET", "/v1/tenants/acme", good, b"{}"),
        ("GET", "/v1/tenants/acme?x=1", good, raw),
        ("GET", "/v1/tenants/acme", {}, raw),
        ("GET", "/v1/tenants/acme", {"Authorization": f"Bearer {shop.token()}"}, raw),
        ("GET", "/v1/tenants/acme", good | {"X-Amz-Date": "20200101T000000Z"}, raw),
        ("GET", "/v1/tenants/acme", good | {"Authorization": good["Authorization"][:-1] + "x"}, raw),
    ]
    for method, target, headers, body in bad:
        answer = operator.send(method, target, headers, body)
        assert (answer.status, answer.code) == (401, "UNAUTHORIZED"), (method, target)


def test_a_tenant_trades_in_its_currencies(operator: Operator, shop: Shop) -> None:
    tenant = operator.call("POST", "/tenants", new_tenant(currencies=["GBP"])).json
    owner = Shop(shop.send, tenant=tenant["id"])
    refused = owner.post("/items", new_item())
    assert (refused.status, refused.pointers) == (400, ["/price/currency"])
    in_pounds = {"amount": "1.00", "currency": "GBP"}
    item = owner.add(price=in_pounds)
    assert owner.patch(f"/items/{item['id']}", {"price": {"currency": "EUR"}}, "*").pointers == ["/price/currency"]
    rows = owner.post("/items/batch", {"items": [new_item(), new_item(price=in_pounds)]}).json["results"]
    assert [row["status"] for row in rows] == [400, 201]


def test_making_a_tenant_again_does_no_harm_to_its_owner(operator: Operator, shop: Shop) -> None:
    asked = new_tenant()
    operator.call("POST", "/tenants", asked, Idempotency_Key="k")
    before = pool_user(asked["id"], "owner@example.com")
    cognito().admin_set_user_password(
        UserPoolId=settings().user_pool_id,
        Username=username(asked["id"], "owner@example.com"),
        Password="Owners-own-1",
        Permanent=True,
    )
    assert operator.call("POST", "/tenants", asked, Idempotency_Key="k").status == 201
    assert operator.call("POST", "/tenants", asked).code == "INVALID_STATE"
    stranger = asked | {"owner": {"email": "stranger@example.com", "name": "S"}}
    assert operator.call("POST", "/tenants", stranger).code == "INVALID_STATE"
    assert operator.call("POST", "/tenants", stranger, Idempotency_Key="k").code == "IDEMPOTENCY_KEY_REUSED"
    assert pool_user(asked["id"], "owner@example.com") == before
    assert pool_user(asked["id"], "stranger@example.com") is None


def test_a_tenant_from_before_lists_is_read_and_listed_after_a_change(operator: Operator, shop: Shop) -> None:
    tenant = operator.call("POST", "/tenants", new_tenant(currencies=["EUR"])).json
    key = keys.tenant(tenant["id"])
    table = Table(dynamodb(), settings().table_name, Meter())
    row = table.get(key) or {}
    old = {name: value for name, value in row.items() if name not in {"head", "gsi1pk", "gsi1sk"}} | {
        "tenant": row["head"]
    }
    dynamodb().put_item(TableName=table.name, Item=encode(old))
    assert operator.call("GET", f"/tenants/{tenant['id']}").json == tenant
    here = Shop(shop.send, tenant=tenant["id"])
    assert here.add(stock=1)["stock"]["on_hand"] == 1
    assert here.post("/items", new_item(price={"amount": "1.00", "currency": "GBP"})).status == 400
    assert here.order({here.add(stock=1)["id"]: 1}).status == 201
    changed = operator.call("PATCH", f"/tenants/{tenant['id']}", {"name": "Listed"}, If_Match='"1"').json
    assert changed in operator.call("GET", "/tenants?limit=200").json["items"]
