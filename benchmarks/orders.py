"""Order benchmarks: cost by number of items, and orders per second of one hot item by number of stock shards."""

import json
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from copy import deepcopy
from multiprocessing import get_context
from typing import Any

from handlers.registry import functions
from local.invocation import invoke

SIZES = (1, 3, 10, 90)
BUCKETS = (1, 4, 16)
_PROCESSES = 4
_ORDERS = 100
"""Orders by each process."""


def costs_by_size() -> dict[int, tuple[str, str, str]]:
    """Return requests, read units and write units of an order, by its number of distinct items."""
    ids = new_items(max(SIZES))
    found = {}
    for size in SIZES:
        headers = _place(ids[:size], f"size-{size}")["multiValueHeaders"]
        found[size] = (
            headers["X-Db-Requests"][0],
            headers["X-Capacity-Read"][0],
            headers["X-Capacity-Write"][0],
        )
    return found


def orders_per_second() -> dict[int, float]:
    """Return orders per second of one unit of one item, placed by several processes, by number of stock shards."""
    with ProcessPoolExecutor(_PROCESSES, get_context("spawn")) as pool:
        list(pool.map(_warm_up, range(_PROCESSES)))
        return {buckets: _rate(pool, buckets) for buckets in BUCKETS}


def _rate(pool: ProcessPoolExecutor, buckets: int) -> float:
    [item_id] = new_items(1, stock=_PROCESSES * _ORDERS)
    body = {"count": buckets}
    called("items/split_stock", body, f"split-{item_id}", {"item_id": item_id})
    started = time.perf_counter()
    placed = sum(pool.map(_buy, [item_id] * _PROCESSES, range(_PROCESSES)))
    assert placed == _PROCESSES * _ORDERS
    return placed / (time.perf_counter() - started)


def _buy(item_id: str, buyer: int) -> int:
    answers = [_place([item_id], f"{item_id}-{buyer}-{n}") for n in range(_ORDERS)]
    return sum(answer["statusCode"] == 201 for answer in answers)


def _warm_up(_: int) -> None:
    functions()


def new_items(count: int, stock: int = 10_000) -> list[str]:
    """Add items, and return their ids."""
    price = {"amount": "12.99", "currency": "EUR"}
    rows = [{"name": f"Enamel mug number {n}", "price": price, "stock": stock} for n in range(count)]
    results = json.loads(called("items/create_items", {"items": rows}, f"items-{time.time_ns()}")["body"])["results"]
    return [row["item"]["id"] for row in results]


def _place(ids: Sequence[str], key: str) -> dict[str, Any]:
    return called("orders/place_order", {"lines": [{"item_id": each, "quantity": 1} for each in ids]}, key)


def called(event: str, body: Any, key: str, path: dict[str, str] | None = None) -> dict[str, Any]:
    """Call the route of a sample event with another body, key and path; return its response."""
    [function] = (each for each in functions() if str(each.event).endswith(f"{event}.json"))
    sent = deepcopy(json.loads(function.event.read_text()))
    sent["body"] = json.dumps(body) if body is not None else None
    if key:
        sent["headers"]["Idempotency-Key"] = key
    if path:
        sent["pathParameters"] = path
        sent["path"] = function.path.format(**path)
    answer: dict[str, Any] = invoke(function.name, sent)
    assert answer["statusCode"] < 300, answer["body"]
    return answer
