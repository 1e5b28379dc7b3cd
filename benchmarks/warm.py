"""CPU of a warm call of Tradepost and its peers, against a bare boto3 handler on the same loopback endpoint."""

import gc
import io
import json
import statistics
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from typing import Any
from uuid import uuid4

from benchmarks.peers import Bare, FastApi, Resource
from handlers.registry import ROOT
from local.invocation import LambdaContext, handler_named, invoke
from local.samples.data import ITEM_ID, TENANT, add_samples

CALLS = 60
ROUNDS = 9

type Call = Callable[[], Any]


def warm_cpu() -> dict[str, dict[str, float]]:
    """Return CPU microseconds per call, by route and implementation: medians over alternating rounds."""
    routes = _calls()
    seen: dict[str, dict[str, list[float]]] = {
        route: {name: [] for name in callers} for route, callers in routes.items()
    }
    with redirect_stdout(io.StringIO()):
        for callers in routes.values():
            for call in callers.values():
                call()
        gc.collect()
        for _ in range(ROUNDS):
            for route, callers in routes.items():
                for name, call in callers.items():
                    seen[route][name].append(_microseconds(call))
    return {
        route: {name: statistics.median(values) for name, values in callers.items()} for route, callers in seen.items()
    }


def _microseconds(call: Call) -> float:
    start = time.process_time()
    for _ in range(CALLS):
        call()
    return (time.process_time() - start) / CALLS * 1e6


def _calls() -> dict[str, dict[str, Call]]:
    add_samples()
    for start in range(0, 100, 50):
        body = {"items": [{"name": f"Thing {start + n}", "price": _PRICE} for n in range(50)]}
        invoke("CreateItems", _event("create_items", body, f"fill-{start}"))
    bare, resource, fastapi = Bare(TENANT), Resource(TENANT), FastApi(TENANT)
    get, listing = _event("get_item"), _event("list_items")
    listing["queryStringParameters"] = {"limit": "50"}
    listing["multiValueQueryStringParameters"] = {"limit": ["50"]}
    context = LambdaContext("Peer")
    assert get["pathParameters"]["item_id"] == ITEM_ID

    def create() -> dict[str, Any]:
        return _event("create_item", {"name": "Thing", "price": _PRICE, "sku": uuid4().hex, "stock": 5}, uuid4().hex)

    return {
        "get": {
            "bare boto3": lambda: bare.get(get),
            "Tradepost": lambda: _call("GetItem", get),
            "boto3.resource": lambda: resource.get(get),
            "FastAPI + Mangum": lambda: fastapi.call(get, context),
        },
        "create": {
            "bare boto3": lambda: bare.create(create()),
            "Tradepost": lambda: _call("CreateItem", create()),
            "boto3.resource": lambda: resource.create(create()),
            "FastAPI + Mangum": lambda: fastapi.call(create(), context),
        },
        "list 50": {
            "bare boto3": lambda: bare.list_newest(listing),
            "Tradepost": lambda: _call("ListItems", listing),
            "boto3.resource": lambda: resource.list_newest(listing),
            "FastAPI + Mangum": lambda: fastapi.call(listing, context),
        },
    }


_PRICE = {"amount": "12.99", "currency": "EUR"}


def _call(name: str, event: dict[str, Any]) -> Any:
    """Call a handler as its peers are called: without the local enforcement of roles."""
    return handler_named(name)(event, LambdaContext(name))


def _event(name: str, body: Any = None, key: str = "") -> dict[str, Any]:
    event: dict[str, Any] = json.loads((ROOT / "events" / "items" / f"{name}.json").read_text())
    if body is not None:
        event["body"] = json.dumps(body)
    if key:
        event["headers"]["Idempotency-Key"] = key
        event["multiValueHeaders"]["Idempotency-Key"] = [key]
    return event
