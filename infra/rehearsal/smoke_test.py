"""Smoke test of a deployed API over HTTP: a shop's daily requests, and requests that must be refused."""

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import httpx

from domain.identity.permissions import Permission
from handlers.http.declaration import PUBLIC, SIGNED
from handlers.registry import RouteFunction, functions
from infra.rehearsal.deployment import Deployment

_UNKNOWN = re.compile(r"\{\w+\}")
_PAID = 2
"""Orders that the test pays."""
_FLOW_SECONDS = 300
"""Time-out for events to arrive; generous, as machines may be slow and busy."""
_ANSWERS = {200, 400, 404, 428}
"""Status codes that prove that API Gateway called the function and that its role could read the table."""


@dataclass(frozen=True, slots=True)
class Check:
    """One request of the smoke test, with its actual and expected status."""

    name: str
    request: str
    """Method and path."""
    status: int
    expected: int
    body: str

    @property
    def passed(self) -> bool:
        """True if the status is as expected."""
        return self.status == self.expected


@dataclass(frozen=True, slots=True)
class Client:
    """HTTP client of one user, or of an unauthenticated caller if the token is empty."""

    url: str
    token: str = ""

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """Send a request; each POST has a new idempotency key."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        if method == "POST":
            sent["Idempotency-Key"] = uuid4().hex
        return httpx.request(method, f"{self.url}{path}", json=body, headers=sent, timeout=60)


class SmokeTest:
    """Smoke test. It ends with an exception if a request fails and later requests need its result."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._anonymous = Client(deployment.url)

    def checks(self) -> Iterator[Check]:
        """Send all requests in order and yield their results."""
        yield _check("health, without a token", self._anonymous.call("GET", "/health"), 200)
        yield _check("items, without a token", self._anonymous.call("GET", "/items"), 401)
        yield _check("items, with a false token", Client(self._deployment.url, "a.b.c").call("GET", "/items"), 401)
        yield _check("tenants, unsigned", self._anonymous.call("POST", "/tenants", {}), 401)
        owner_email = "olga@example.com"
        tenant = {"id": "acme", "name": "Acme", "owner": {"email": owner_email, "name": "Olga"}}
        yield _check("an operator makes a tenant", self._deployment.as_operator("POST", "/tenants", tenant), 201)
        owner = self._client(owner_email)
        yield _check("its owner signs in", owner.call("GET", "/users/me"), 200)
        for role in ("staff", "customer"):
            body = {"email": f"{role}@example.com", "name": role.title(), "role": role}
            yield _check(f"the owner adds a {role}", owner.call("POST", "/users", body), 201)
        staff, customer = self._client("staff@example.com"), self._client("customer@example.com")
        yield from _catalogue(owner, customer)
        yield from _trade(owner, staff, customer)
        yield from _books(owner, staff, customer)
        yield from _rest(owner)
        yield from _figures(owner)
        for function in functions():
            yield from self._reached(function, owner)
        yield _check("an operator reads the tenant", self._deployment.as_operator("GET", "/tenants/acme"), 200)
        renamed = self._deployment.as_operator("PATCH", "/tenants/acme", {"name": "Acme Ltd"}, {"If-Match": "*"})
        yield _check("and renames it", renamed, 200)

    def _reached(self, function: RouteFunction, owner: Client) -> Iterator[Check]:
        """Call a route without a token, and for a resource that does not exist: its function must respond."""
        method, path = function.declaration.method, _UNKNOWN.sub("unknown", function.path.removeprefix("/v1"))
        query = json.loads(function.event.read_text()).get("queryStringParameters") or {}
        path += f"?{urlencode(query)}" if query else ""
        if function.declaration.permission in {PUBLIC, SIGNED}:
            reached = 200 if function.declaration.permission == PUBLIC else 404  # there is no such provider
            yield _check(f"{function.name}, without a caller", self._anonymous.call(method, path), reached)
            return
        yield _check(f"{function.name}, without a caller", self._anonymous.call(method, path), 401)
        if isinstance(function.declaration.permission, Permission):
            answer = owner.call(method, path, {"unknown": True} if method in {"POST", "PATCH"} else None)
            expected = answer.status_code if answer.status_code in _ANSWERS else 404
            yield _check(f"{function.name}, of what is not there", answer, expected)

    def _client(self, email: str) -> Client:
        return Client(self._deployment.url, self._deployment.token("acme", email))


def _catalogue(owner: Client, customer: Client) -> Iterator[Check]:
    item = {"name": "Enamel mug", "sku": "MUG", "price": {"amount": "12.99", "currency": "EUR"}, "stock": 10}
    made = owner.call("POST", "/items", item)
    yield _check("the owner adds an item", made, 201)
    yield _check("the same SKU again", owner.call("POST", "/items", item), 409)
    yield _check("a customer adds an item", customer.call("POST", "/items", item), 403)
    path = f"/items/{made.json()['id']}"
    yield _check("a customer reads it", customer.call("GET", path), 200)
    yield _check("and again, with its ETag", customer.call("GET", path, If_None_Match=made.headers["ETag"]), 304)
    yield _check("the list", customer.call("GET", "/items?limit=1"), 200)
    patch = {"name": "Enamel mug, red"}
    yield _check("a change of it", owner.call("PATCH", path, patch, If_Match=made.headers["ETag"]), 200)
    yield _check("a change of what it was", owner.call("PATCH", path, patch, If_Match='"99"'), 412)
    yield _check("its stock, split", owner.call("POST", f"{path}/stock-buckets", {"count": 4}), 200)
    yield _check("a batch", owner.call("POST", "/items/batch", {"items": [item | {"sku": "MUG-2"}]}), 200)


def _trade(owner: Client, staff: Client, customer: Client) -> Iterator[Check]:
    item = owner.call("GET", "/items?sku=MUG").json()["items"][0]["id"]
    placed = customer.call("POST", "/orders", {"lines": [{"item_id": item, "quantity": 9}]})
    yield _check("a customer orders nine", placed, 201)
    too_many = customer.call("POST", "/orders", {"lines": [{"item_id": item, "quantity": 3}]})
    yield _check("and more than there are", too_many, 409)
    path = f"/orders/{placed.json()['id']}"
    yield _check("a customer ships", customer.call("POST", f"{path}/ship"), 403)
    yield _check("staff ships what is not paid", staff.call("POST", f"{path}/ship"), 409)
    yield _check("staff takes the payment", staff.call("POST", f"{path}/payments", {"provider": "manual"}), 201)
    yield _check("staff ships", staff.call("POST", f"{path}/ship"), 200)
    yield _check("and delivers", staff.call("POST", f"{path}/deliver"), 200)
    second = customer.call("POST", "/orders", {"lines": [{"item_id": item, "quantity": 1}]})
    yield _check("a customer orders the last one", second, 201)
    yield _check("and cancels", customer.call("POST", f"/orders/{second.json()['id']}/cancel"), 200)
    yield _check("a customer's orders", customer.call("GET", "/orders"), 200)
    third = customer.call("POST", "/orders", {"lines": [{"item_id": item, "quantity": 1}]})
    staff.call("POST", f"/orders/{third.json()['id']}/payments", {"provider": "manual"})
    yield _check("a refund", staff.call("POST", f"/orders/{third.json()['id']}/refund"), 200)


def _books(owner: Client, staff: Client, customer: Client) -> Iterator[Check]:
    accounts = []
    for code, kind in (("bank", "asset"), ("capital", "equity")):
        body = {"code": code, "name": code.title(), "type": kind, "currency": "EUR"}
        made = owner.call("POST", "/ledger/accounts", body)
        yield _check(f"the owner opens {code}", made, 201)
        accounts.append(made.json()["id"])
    amount = {"amount": "100.00", "currency": "EUR"}
    entries = [
        {"account_id": account, "direction": side, "amount": amount}
        for account, side in zip(accounts, ("debit", "credit"), strict=True)
    ]
    posted = owner.call("POST", "/ledger/transactions", {"description": "Capital", "entries": entries})
    yield _check("and posts", posted, 201)
    yield _check(
        "staff posts", staff.call("POST", "/ledger/transactions", {"description": "x", "entries": entries}), 403
    )
    yield _check("a customer reads the books", customer.call("GET", "/ledger/trial-balance"), 403)
    trial = staff.call("GET", "/ledger/trial-balance")
    yield _check("staff reads the trial balance", trial, 200)
    yield _check("which balances", trial, 200 if _balances(trial.json()) else 0)
    yield _check("a statement", staff.call("GET", f"/ledger/accounts/{accounts[0]}/entries"), 200)
    yield _check("a balance", staff.call("GET", f"/ledger/accounts/{accounts[0]}/balance"), 200)
    path = f"/ledger/transactions/{posted.json()['id']}/reverse"
    yield _check("a reversal", owner.call("POST", path), 201)
    yield _check("a second one", owner.call("POST", path), 409)


def _rest(owner: Client) -> Iterator[Check]:
    """Call the routes that the other parts do not."""
    item = f"/items/{owner.call('GET', '/items?sku=MUG').json()['items'][0]['id']}"
    yield _check("stock counted", owner.call("POST", f"{item}/stock", {"delta": 5, "reason": "delivery"}), 200)
    yield _check("an item archived", owner.call("DELETE", item, If_Match="*"), 204)
    order = owner.call("GET", "/orders?limit=1").json()["items"][0]["id"]
    yield _check("an order", owner.call("GET", f"/orders/{order}"), 200)
    people = owner.call("GET", "/users?email=customer@example.com")
    yield _check("people", people, 200)
    user = f"/users/{people.json()['items'][0]['id']}"
    yield _check("one of them", owner.call("GET", user), 200)
    yield _check("who becomes staff", owner.call("PATCH", user, {"role": "staff"}, If_Match="*"), 200)
    yield _check("and leaves", owner.call("DELETE", user), 204)
    accounts = owner.call("GET", "/ledger/accounts")
    yield _check("accounts", accounts, 200)
    bank = next(each["id"] for each in accounts.json()["items"] if each["code"] == "bank")
    yield _check("one of them", owner.call("GET", f"/ledger/accounts/{bank}"), 200)
    yield _check("striped", owner.call("POST", f"/ledger/accounts/{bank}/stripes", {"count": 2}), 200)
    yield _check("closed", owner.call("POST", f"/ledger/accounts/{bank}/close"), 200)
    transactions = owner.call("GET", "/ledger/transactions")
    yield _check("transactions", transactions, 200)
    transaction = transactions.json()["items"][0]["id"]
    yield _check("one of them", owner.call("GET", f"/ledger/transactions/{transaction}"), 200)
    for page in ("/docs", "/openapi.json", "/asyncapi.json"):
        yield _check(page, owner.call("GET", page), 200)


def _figures(owner: Client) -> Iterator[Check]:
    """Wait until events have come by stream and queue to where sales are counted: the two orders that were paid."""
    deadline = time.monotonic() + _FLOW_SECONDS
    while True:
        answer = owner.call("GET", "/stats/sales")
        counted = sum(row["orders"] for row in answer.json().get("rows", ()))
        if counted == _PAID or time.monotonic() > deadline:
            break
        time.sleep(1)
    yield _check("sales, counted from events", answer, 200 if counted == _PAID else 0)
    yield _check("sales by item", owner.call("GET", "/stats/sales?group_by=item"), 200)
    yield _check("items that run low", owner.call("GET", "/stats/stock?below=100"), 200)
    yield _check("webhook endpoints", owner.call("GET", "/webhook-endpoints"), 200)


def _balances(trial: dict[str, Any]) -> bool:
    return all(total["debit"] == total["credit"] for total in trial["totals"]) and bool(trial["accounts"])


def _check(name: str, answer: httpx.Response, expected: int) -> Check:
    request = f"{answer.request.method} /v1{answer.request.url.path.partition('/v1')[2]}"
    return Check(name, request, answer.status_code, expected, answer.text[:500])
