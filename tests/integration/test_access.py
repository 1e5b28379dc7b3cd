"""Who may do what, and what a function itself may do."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from domain.identity.permissions import GRANTS, Permission, Role
from handlers.registry import Function, functions
from local.invocation import invoke
from local.samples import TENANT
from repositories.aws.clients import dynamodb
from repositories.dynamodb.iam_actions import Access
from repositories.dynamodb.keys import tenant_prefix
from repositories.dynamodb.schema import INDEXES
from tests.books import account, transfer
from tests.people import Operator, as_user, new_tenant, new_user
from tests.shop import Shop, new_item

OPERATIONS = {
    "ConditionCheck": Access.CHECK,
    "BatchGetItem": Access.BATCH_GET,
    "Put": Access.PUT,
    "Update": Access.UPDATE,
    "Delete": Access.DELETE,
    "PutItem": Access.PUT,
    "GetItem": Access.GET,
    "Query": Access.QUERY,
}


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize(
    "function",
    [each for each in functions() if isinstance(each.operation.permission, Permission)],
    ids=lambda function: function.name,
)
def test_a_route_is_open_to_the_roles_of_its_permission(database: str, function: Function, role: Role) -> None:
    event = json.loads(function.event.read_text())
    permission = function.operation.permission
    assert isinstance(permission, Permission)
    event["requestContext"]["authorizer"]["claims"]["cognito:groups"] = role.value
    response = invoke(function.name, event)
    forbidden = response["statusCode"] == 403
    needed = {"GetUser": Permission.USERS_READ, "ChangeUser": Permission.USERS_WRITE}  # another's, in the event
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


class Recorder:
    """What each request did to the table, as the wire shows it."""

    def __init__(self) -> None:
        self.used: set[Access] = set()
        self.partitions: list[str] = []

    def __call__(self, request: Any, **_: Any) -> None:
        operation = request.headers["X-Amz-Target"].decode().partition(".")[2]
        body = json.loads(request.body)
        if operation == "TransactWriteItems":
            for action in body["TransactItems"]:
                [(verb, details)] = action.items()
                self.used.add(OPERATIONS[verb])
                self.partitions.append((details.get("Item") or details["Key"])["pk"]["S"])
        elif operation == "TransactGetItems":
            self.used.add(Access.GET)
            self.partitions += [each["Get"]["Key"]["pk"]["S"] for each in body["TransactItems"]]
        elif operation == "BatchGetItem":
            self.used.add(Access.BATCH_GET)
            [asked] = body["RequestItems"].values()
            self.partitions += [key["pk"]["S"] for key in asked["Keys"]]
        elif operation == "Query":
            self.used.add(Access(body["IndexName"]) if "IndexName" in body else Access.QUERY)
            self.partitions.append(body["ExpressionAttributeValues"][":pk"]["S"])
        else:
            self.used.add(OPERATIONS[operation])
            self.partitions.append((body.get("Item") or body["Key"])["pk"]["S"])


@pytest.fixture
def recorder(database: str) -> Iterator[Recorder]:
    recorder = Recorder()
    events = dynamodb().meta.events
    events.register("before-send.dynamodb", recorder)
    yield recorder
    events.unregister("before-send.dynamodb", recorder)


def test_a_function_uses_all_that_it_may_and_nothing_else(shop: Shop, operator: Operator, recorder: Recorder) -> None:
    used: dict[str, set[Access]] = defaultdict(set)

    def did(name: str) -> None:
        used[name] |= recorder.used
        recorder.used = set()
        assert all(pk.startswith((tenant_prefix(shop.tenant), tenant_prefix("-"))) for pk in recorder.partitions)

    item = shop.post("/items", new_item(sku="A", stock=1), key="k").json
    shop.post("/items", new_item(sku="A"), key="k2")
    did("CreateItem")
    shop.post("/items/batch", {"items": [new_item()]}, key="k")
    did("CreateItems")
    path = f"/items/{item['id']}"
    shop.get(path)
    shop.get("/items/item_01JD3ZK8Q4M5X6Y7Z8A9B0C1D9")
    did("GetItem")
    shop.get("/items")
    shop.get("/items?sku=A")
    did("ListItems")
    shop.patch(path, {"sku": "B"}, "*")
    did("ChangeItem")
    shop.adjust(item["id"], -1)
    shop.adjust(item["id"], -1)
    did("AdjustStock")
    shop.post(f"{path}/stock-buckets", {"count": 2}, key="k")
    did("SplitStock")
    uncounted = shop.add()
    shop.adjust(item["id"], 5)
    recorder.used = set()
    order = shop.order({item["id"]: 3, uncounted["id"]: 1}, key="order").json
    shop.order({item["id"]: 5})  # more than one bucket has
    did("PlaceOrder")
    order_path = f"/orders/{order['id']}"
    shop.get(order_path)
    did("GetOrder")
    shop.get("/orders")
    shop.get(f"/orders?customer_id={shop.user}")
    did("ListOrders")
    shop.pay(order["id"])
    did("PayOrder")
    for move in ("ship", "deliver"):
        shop.post(f"{order_path}/{move}", None)
        did(f"{move.title()}Order")
    others = [shop.order({item["id"]: 1}).json["id"] for _ in range(2)]
    recorder.used = set()
    shop.post(f"/orders/{others[0]}/cancel", None)
    did("CancelOrder")
    shop.pay(others[1])
    recorder.used = set()
    shop.post(f"/orders/{others[1]}/refund", None, key="k")
    did("RefundOrder")
    fired = as_user(shop, shop.post("/users", new_user(role="staff")).json)
    shop.call("DELETE", f"/users/{fired.user}")
    recorder.used = set()
    for name, path_below in {
        "Pay": "payments",
        **{name.title(): name for name in ("ship", "deliver", "cancel")},
    }.items():
        body = {"provider": "manual"} if name == "Pay" else None
        assert fired.post(f"{order_path}/{path_below}", body, key="k").status == 401
        # What is not valid may be a key used before.
        assert shop.post(f"{order_path}/{path_below}", {"unknown": True}, key="k").status == 400
        did(f"{name}Order")
    _use_the_ledger(shop, did)
    shop.delete(path, "*")
    did("ArchiveItem")
    user = shop.post("/users", new_user(role="owner"), key="k").json
    did("CreateUser")
    shop.get("/users")
    shop.get("/users?email=a@example.com")
    did("ListUsers")
    shop.get("/users/me")
    did("GetMe")
    shop.get(f"/users/{user['id']}")
    did("GetUser")
    shop.patch(f"/users/{user['id']}", {"role": "staff"}, "*")
    did("ChangeUser")
    shop.call("DELETE", f"/users/{user['id']}")
    did("DeleteUser")
    tenant = new_tenant()
    recorder.partitions.clear()
    operator.call("POST", "/tenants", tenant)
    used["CreateTenant"], recorder.used = recorder.used, set()
    operator.call("GET", f"/tenants/{tenant['id']}")
    used["GetTenant"], recorder.used = recorder.used, set()
    operator.call("PATCH", f"/tenants/{tenant['id']}", {"name": "B"}, If_Match="*")
    used["ChangeTenant"], recorder.used = recorder.used, set()
    assert all(pk.startswith(tenant_prefix(tenant["id"])) for pk in recorder.partitions)
    recorder.partitions.clear()
    for public in ("health", "openapi.json", "docs"):
        shop.get(f"/{public}")
        did({"health": "GetHealth", "openapi.json": "GetOpenapi", "docs": "GetDocs"}[public])
    for function in functions():
        on_table = {each for each in function.access if each.service in {"dynamodb", *INDEXES}}
        assert used[function.name] == on_table, function.name


def _use_the_ledger(shop: Shop, did: Callable[[str], None]) -> None:
    accounts = [account(shop), account(shop)]
    shop.post("/ledger/accounts", {"code": "k", "name": "K", "type": "asset", "currency": "EUR"}, key="k")
    did("OpenAccount")
    shop.get("/ledger/accounts")
    did("ListAccounts")
    path = f"/ledger/accounts/{accounts[0]}"
    shop.get(path)
    did("GetAccount")
    txns = [transfer(shop, accounts[0], accounts[1], minor).json for minor in (1, 2)]
    did("PostTransaction")
    shop.get(f"/ledger/transactions/{txns[0]['id']}")
    did("GetTransaction")
    shop.get("/ledger/transactions")
    shop.get("/ledger/transactions?reference=R")
    did("ListTransactions")
    shop.get(f"{path}/balance?as_of=2026-01-01T00:00:00Z")
    shop.get("/ledger/accounts/acct_01JD3ZK8Q4M5X6Y7Z8A9B0C1D9/balance")
    did("GetBalance")
    shop.get(f"{path}/entries")
    did("ListEntries")
    shop.get("/ledger/trial-balance?as_of=2026-01-01T00:00:00Z")
    did("GetTrialBalance")
    for txn in txns:
        shop.post(f"/ledger/transactions/{txn['id']}/reverse", None, key="k")
    did("ReverseTransaction")
    shop.post(f"{path}/stripes", {"count": 2}, key="k")
    shop.post(f"{path}/stripes", {"count": 1}, key="k1")
    did("StripeAccount")
    shop.post(f"{path}/close", None, key="k")
    did("CloseAccount")


def test_samples_have_a_tenant_of_their_own() -> None:
    for function in functions():
        event = json.loads(function.event.read_text())
        claims = event["requestContext"].get("authorizer", {}).get("claims")
        assert claims is None or claims["custom:tenant_id"] == TENANT


def test_what_takes_a_key_may_look_for_its_record() -> None:
    for function in functions():
        if function.operation.idempotency_key != "ignored":
            assert Access.GET in function.access, function.name
