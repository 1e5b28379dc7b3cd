"""Test client: a new tenant, called through the gateway, with a method per kind of request."""

import json
import threading
import time
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache, lru_cache
from typing import Any
from uuid import uuid4

import httpx
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from local.http.gateway import Gateway, Request
from local.http.sigv4 import AccessKey
from local.invocation import invoke
from local.tokens import mint, signing_key

KEY = signing_key(None)
OPERATOR = AccessKey("LOCALTEST", "secret")

type Send = Callable[[str, str, dict[str, str], bytes], "Answer"]


@dataclass(frozen=True)
class Answer:
    """Response, with header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """Code of the problem document, or an empty string."""
        return str(self.json["code"]) if self.headers.get("content-type") == "application/problem+json" else ""

    @property
    def etag(self) -> str:
        return self.headers["etag"]

    @property
    def pointers(self) -> list[str]:
        return [flaw["pointer"] for flaw in self.json["errors"]]

    @property
    def writes(self) -> float:
        return float(self.headers["x-capacity-write"])

    @property
    def reads(self) -> float:
        return float(self.headers["x-capacity-read"])


def send_to(invoke: Callable[[str, dict[str, Any]], Any]) -> Send:
    """Return a function that sends requests through the gateway to functions called by `invoke`."""

    async def call(name: str, event: dict[str, Any]) -> dict[str, Any]:
        response: dict[str, Any] = invoke(name, event)
        return response

    @cache
    def gateway() -> Gateway:
        return Gateway(KEY, OPERATOR, call)

    def send(method: str, target: str, headers: dict[str, str], body: bytes) -> Answer:
        path, _, query = target.partition("?")
        request = Request(method, path, query, list(headers.items()), body, "127.0.0.1")
        reply = _finished(gateway().handle(request))
        return Answer(reply.status, {name.lower(): value for name, value in reply.headers}, reply.body)

    return send


def _finished[T](coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never waits, without an event loop, so that it may run within another one."""
    try:
        coroutine.send(None)
    except StopIteration as stopped:
        result: T = stopped.value
        return result
    raise AssertionError("it waited")


send_in_process = send_to(invoke)


def send_over_http(client: httpx.Client) -> Send:
    """Return a function that sends requests to a running server."""

    def send(method: str, target: str, headers: dict[str, str], body: bytes) -> Answer:
        reply = client.request(method, target, headers=headers, content=body)
        return Answer(reply.status_code, dict(reply.headers), reply.content)

    return send


@dataclass
class Shop:
    """Client of one caller in one tenant."""

    send: Send
    key: RSAPrivateKey = KEY
    tenant: str = field(default_factory=lambda: f"t-{uuid4().hex[:12]}")
    role: str = "owner"
    user: str = field(default_factory=lambda: str(uuid4()))

    def acting_as(self, role: str) -> "Shop":
        """Return a client of a new caller in the same tenant."""
        return Shop(self.send, self.key, self.tenant, role)

    def token(self, **claims: Any) -> str:
        lifetime = claims.pop("lifetime", timedelta(hours=1))
        key = claims.pop("key", self.key)
        return mint(key, tenant=self.tenant, role=self.role, user=self.user, lifetime=lifetime, **claims)

    @property
    def usual_token(self) -> str:
        """The caller's token, made once a second: a token is void if its user changes after that."""
        return _usual_token(self.key, self.tenant, self.role, self.user, int(time.time()))

    def call(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None, token: str = ""
    ) -> Answer:
        """Call a route below /v1; a `body` of bytes is sent unchanged, any other as JSON."""
        sent = {"Authorization": f"Bearer {token or self.usual_token}"}
        if body is not None:
            sent["Content-Type"] = "application/json"
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        return self.send(method, f"/v1{path}", sent | dict(headers or {}), raw)

    def get(self, path: str, **headers: str) -> Answer:
        return self.call("GET", path, headers=_spelled(headers))

    def post(self, path: str, body: Any, key: str = "") -> Answer:
        return self.call("POST", path, body, {"Idempotency-Key": key} if key else {})

    def patch(self, path: str, body: Any, if_match: str) -> Answer:
        return self.call("PATCH", path, body, {"If-Match": if_match})

    def delete(self, path: str, if_match: str) -> Answer:
        return self.call("DELETE", path, headers={"If-Match": if_match})

    def add(self, **fields: Any) -> dict[str, Any]:
        """Add an item and return it."""
        answer = self.post("/items", new_item(**fields))
        assert answer.status == 201, answer.body
        item: dict[str, Any] = answer.json
        return item

    def item(self, item_id: str) -> dict[str, Any]:
        item: dict[str, Any] = self.get(f"/items/{item_id}").json
        return item

    def adjust(self, item_id: str, delta: int, key: str = "") -> Answer:
        return self.post(f"/items/{item_id}/stock", {"delta": delta, "reason": "count"}, key or uuid4().hex)

    def order(self, quantities: Mapping[str, int], key: str = "", **fields: Any) -> Answer:
        """Place an order for units of each item."""
        lines = [{"item_id": item_id, "quantity": units} for item_id, units in quantities.items()]
        return self.post("/orders", {"lines": lines} | fields, key or uuid4().hex)

    def pay(self, order_id: str, key: str = "") -> Answer:
        return self.post(f"/orders/{order_id}/payments", {"provider": "manual"}, key or uuid4().hex)

    def move(self, order_id: str, move: str, key: str = "") -> Answer:
        """Cancel, ship, deliver or refund an order."""
        return self.post(f"/orders/{order_id}/{move}", None, key or uuid4().hex)

    def stock(self, item_id: str) -> tuple[int, int, int]:
        """Return units on hand, reserved and available."""
        stock = self.item(item_id)["stock"]
        assert stock["available"] == stock["on_hand"] - stock["reserved"]
        return stock["on_hand"], stock["reserved"], stock["available"]

    def walk(self, limit: int, path: str = "/items?") -> list[dict[str, Any]]:
        """Return all entries of a list, read page by page."""
        found: list[dict[str, Any]] = []
        cursor: str | None = ""
        while cursor is not None:
            page = self.get(f"{path}&limit={limit}" + (f"&cursor={cursor}" if cursor else "")).json
            found += page["items"]
            cursor = page["next_cursor"]
        return found


@lru_cache(64)
def _usual_token(key: RSAPrivateKey, tenant: str, role: str, user: str, _second: int) -> str:
    return mint(key, tenant=tenant, role=role, user=user, lifetime=timedelta(hours=1))


def new_item(**fields: Any) -> dict[str, Any]:
    return {"name": "Enamel mug", "price": {"amount": "12.99", "currency": "EUR"}} | fields


def race[T](count: int, call: Callable[[int], T]) -> list[T]:
    """Call `call(0)` … `call(count - 1)` concurrently and return their results in order."""
    barrier = threading.Barrier(count)

    def run(index: int) -> T:
        barrier.wait()
        return call(index)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def _spelled(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}
