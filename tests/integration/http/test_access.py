"""Tests of users' permissions and of functions' IAM permissions."""

import json
import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from domain.identity.permissions import GRANTS, Permission, Role
from handlers.registry import RouteFunction, functions
from local.iam import AccessDeniedError, role_of
from local.invocation import invoke
from local.samples.data import CUSTOMER, ENDPOINT_IDS, RESOURCE_IDS, TENANT, WAITING_EVENT_ID, add_samples, signed_now
from repositories.aws.clients import dynamodb
from repositories.dynamodb.iam_actions import IamAction
from repositories.dynamodb.schema import INDEXES
from tests.recorder import Recorder, recording
from tests.shop import Shop


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize(
    "function",
    [each for each in functions() if isinstance(each.declaration.permission, Permission)],
    ids=lambda function: function.name,
)
def test_a_route_is_open_to_the_roles_of_its_permission(database: str, function: RouteFunction, role: Role) -> None:
    event = json.loads(function.event.read_text())
    permission = function.declaration.permission
    assert isinstance(permission, Permission)
    event["requestContext"]["authorizer"]["claims"]["cognito:groups"] = role.value
    response = invoke(function.name, event)
    forbidden = response["statusCode"] == 403
    needed = {
        "GetUser": Permission.USERS_READ,  # the event is about another user
        "ChangeUser": Permission.USERS_WRITE,
        "PayOrder": Permission.ORDERS_MANAGE,  # the event is about a manual payment
    }
    permission = needed.get(function.name, permission)
    assert forbidden == (permission not in GRANTS[role])
    if forbidden:
        assert json.loads(response["body"])["code"] == "FORBIDDEN"
        assert response["multiValueHeaders"]["X-Capacity-Write"] == ["0"]


def test_customers_see_active_items_only(shop: Shop) -> None:
    item = shop.add(sku="A")
    customer = shop.acting_as("customer")
    assert customer.get(f"/items/{item['id']}").status == 200
    assert len(customer.walk(10)) == 1
    shop.delete(f"/items/{item['id']}", '"1"')
    assert customer.get(f"/items/{item['id']}").code == "NOT_FOUND"
    assert customer.get("/items?status=archived").code == "FORBIDDEN"
    assert customer.get("/items?sku=A").json["items"] == []


@pytest.mark.parametrize(
    ("groups", "role"),
    [("owner", "owner"), ("[owner]", "owner"), ("staff,customer", "staff"), ("[customer, staff]", "staff")],
)
def test_groups_are_read_in_every_form_that_gateways_send(database: str, groups: str, role: str) -> None:
    [create] = [function for function in functions() if function.name == "CreateItem"]
    event = json.loads(create.event.read_text())
    event["requestContext"]["authorizer"]["claims"]["cognito:groups"] = groups
    assert (invoke("CreateItem", event)["statusCode"] == 403) == (role == "customer")


PATHS = re.compile(r"(item|order|acct|txn|booking|resource)_[0-9A-Z]{26}")
UNKNOWN = "01JD3ZK8Q4M5X6Y7Z8A9B0C1ZZ"
ANY_VERSION = {"headers": {"If-Match": "*"}}
_ONLY = {"customer_id": CUSTOMER, "resource_id": RESOURCE_IDS[0]}
MORE: dict[str, list[dict[str, Any]]] = {
    "ListItems": [{"queryStringParameters": {"sku": "MUG-RED"}}, {"queryStringParameters": {"include": "stock"}}],
    "ListBookings": [{"queryStringParameters": {name: each}} for name, each in _ONLY.items()],
    "ListOrders": [{"queryStringParameters": {"customer_id": CUSTOMER}}],
    "ListTransactions": [{"queryStringParameters": {"reference": "R"}}],
    "ListUsers": [{"queryStringParameters": {"email": "customer@example.com"}}],
    "GetBalance": [{"queryStringParameters": {"as_of": "2026-01-01T00:00:00Z"}}],
    "GetTrialBalance": [{"queryStringParameters": {"as_of": "2026-01-01T00:00:00Z"}}],
    "ChangeItem": [{"body": '{"sku": "ANOTHER"}'} | ANY_VERSION],
    "ChangeTenant": [ANY_VERSION],
    "ChangeUser": [{"body": '{"role": "staff"}'} | ANY_VERSION],
    "CreateUser": [{"body": '{"email": "another@example.com", "name": "A", "role": "owner"}'}],
    "DeleteUser": [{"path": "/v1/users/CREATED_USER", "pathParameters": {"user_id": "CREATED_USER"}}],
    "RetryWebhookDelivery": [
        {
            "path": f"/v1/webhook-endpoints/{ENDPOINT_IDS[0]}/deliveries/{WAITING_EVENT_ID}/retry",
            "pathParameters": {"endpoint_id": ENDPOINT_IDS[0], "event_id": WAITING_EVENT_ID},
        }
    ],
    "PlaceOrder": [
        {"body": '{"lines": [{"item_id": "UNCOUNTED_ITEM", "quantity": 1}]}'},
        {"body": '{"lines": [{"item_id": "COUNTED_ITEM", "quantity": 1}]}'},
    ],
}
"""Requests, in addition to the sample event, with which a function uses all that its role grants."""

RARE: dict[str, set[IamAction]] = {
    "ListLowStock": {IamAction.GET},
    "PayOrder": {IamAction.UPDATE},
    "GetPaymentProvider": {IamAction.BATCH_GET},
    "SetPaymentProvider": {IamAction.QUERY},
    "CancelPayment": {IamAction.QUERY, IamAction.UPDATE},
    "RefreshPayment": {IamAction.QUERY, IamAction.UPDATE, IamAction.PUT},
    "ChangeBooking": {IamAction.QUERY},
}
"""What a function uses only if rows are not visible yet, a customer has confirmed a payment, an account is new, or
a time is taken."""


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    with recording() as recorder:
        yield recorder


@pytest.fixture(scope="module")
def samples(database: str) -> dict[str, str]:
    """Add the sample data and three more resources, and split stock; return the ids of placeholders in `MORE`."""
    add_samples()
    price = {"amount": "1.00", "currency": "EUR"}
    _created("SplitStock", {"count": 2})
    return {
        "CREATED_USER": _created("CreateUser", {"email": "made@example.com", "name": "A", "role": "customer"}),
        "UNCOUNTED_ITEM": _created("CreateItem", {"name": "A", "price": price}),
        "COUNTED_ITEM": _created("CreateItem", {"name": "A", "price": price, "stock": 9}),
    }


def _created(name: str, body: dict[str, Any]) -> str:
    [function] = [each for each in functions() if each.name == name]
    event = json.loads(function.event.read_text())
    event |= {"body": json.dumps(body), "headers": event["headers"] | {"Idempotency-Key": uuid4().hex}}
    return str(json.loads(invoke(name, event)["body"])["id"])


def _variants(event: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield an event twice, then with ids that do not exist, and with an invalid body."""
    event = _with_key(event)
    yield event
    yield event
    unknown: dict[str, Any] = json.loads(PATHS.sub(rf"\1_{UNKNOWN}", json.dumps(event)))
    yield _with_key(unknown)
    yield _with_key(event | {"body": '{"unknown": 1}'})


def _with_key(event: dict[str, Any]) -> dict[str, Any]:
    return event | {"headers": (event["headers"] or {}) | {"Idempotency-Key": uuid4().hex}}


@pytest.mark.parametrize("function", functions(), ids=lambda function: function.name)
def test_a_function_uses_all_that_its_role_grants(
    samples: dict[str, str], recorder: Recorder, function: RouteFunction
) -> None:
    """Every call of every test enforces that a function uses nothing else."""
    event = signed_now(json.loads(function.event.read_text()))
    for more in ({}, *MORE.get(function.name, ())):
        headers = (event["headers"] or {}) | more.get("headers", {})
        text = json.dumps(event | more | {"headers": headers, "multiValueHeaders": None})
        for placeholder, value in samples.items():
            text = text.replace(placeholder, value)
        for variant in _variants(json.loads(text)):
            answer = invoke(function.name, variant)
            assert answer["statusCode"] < 500, answer["body"]
    on_table = {each for each in function.iam_actions if each.service in {"dynamodb", *INDEXES}}
    assert recorder.used | RARE.get(function.name, set()) == on_table
    own = event["requestContext"].get("authorizer", {}).get("claims", {}).get("custom:tenant_id")
    if own:
        assert recorder.tenants <= {own}


def test_a_function_may_not_use_what_its_repository_methods_do_not_declare(shop: Shop) -> None:
    with role_of("ListItems", frozenset({IamAction.LIST})), pytest.raises(AccessDeniedError, match="ListItems may not"):
        dynamodb().get_item(TableName="tradepost", Key={"pk": {"S": "x"}, "sk": {"S": "x"}})


def test_samples_have_a_tenant_of_their_own() -> None:
    for function in functions():
        event = json.loads(function.event.read_text())
        claims = event["requestContext"].get("authorizer", {}).get("claims")
        assert claims is None or claims["custom:tenant_id"] == TENANT
