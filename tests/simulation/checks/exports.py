"""What must hold of exports: each is cancelled, or has every row that there was, once, in files that are as shown."""

import gzip
import hashlib
import json
from collections import Counter
from typing import Any

from repositories.dynamodb.codec import Row
from repositories.ledger.rows import entry_locations
from repositories.orders.rows import StoredOrder
from repositories.payments.rows import StoredPayment
from tests.simulation.checks.violation import require
from tests.simulation.workload.actors import World
from tests.simulation.world.model import Model


def require_whole(shown: dict[str, Any], bucket: Any) -> list[dict[str, Any]]:
    """Require the files of an export to be as it says, and return their records."""
    progress, records = shown["progress"], []
    for file in shown["files"]:
        content = bucket.objects.get(file["url"])
        require(content is not None, f"{file['url']} is not there.")
        digest = hashlib.sha256(content).hexdigest()
        require((len(content), digest) == (file["bytes"], file["sha256"]), f"{file['url']} is another file.")
        lines = [json.loads(line) for line in gzip.decompress(content).decode().splitlines()]
        require(len(lines) == file["rows"], f"{file['url']} has {len(lines)} rows.")
        records += lines
    counted = (len(shown["files"]), len(shown["files"]), len(records))
    require((progress["parts"], progress["parts_done"], progress["rows"]) == counted, f"{progress}, and not {counted}.")
    return records


def check_exports(world: World, model: Model) -> None:
    """Check all exports at the end."""
    prefix = f"T#{world.tenant}#EXPORT#"
    for (pk, sk), row in model.rows.items():
        if not pk.startswith(prefix) or sk != "EXPORT":
            continue
        head = row["head"]
        if head["id"] in world.cancelled:
            require(head["status"] == "cancelled", f"{head['id']} was cancelled, and is {head['status']}.")
        require(head["status"] in {"succeeded", "cancelled"}, f"{head['id']} is {head['status']}.")
        if head["status"] == "succeeded":
            _check_records(world, model, head)


def _check_records(world: World, model: Model, head: Row) -> None:
    export_id = head["id"]
    pk = f"T#{world.tenant}#EXPORT#{export_id}"
    written = [row["written"] for (each, _), row in sorted(model.rows.items()) if each == pk and "written" in row]
    files = [
        {"url": f"exports/{world.tenant}/{export_id}/{each['name']}", "bytes": each["size"]}
        | {name: each[name] for name in ("rows", "sha256")}
        for each in written
    ]
    records = require_whole(head | {"files": files}, world.bucket)
    wanted = Counter(key for row in model.rows.values() for key in _keys(row, head["dataset"], head["to"]))
    found = Counter(tuple(record[name] for name in _NAMES[head["dataset"]]) for record in records)
    require(found == wanted, f"{export_id} has {found - wanted} too much, and misses {wanted - found}.")


_NAMES: dict[str, tuple[str, ...]] = {
    "orders": ("order_id",),
    "order_lines": ("order_id", "product_id"),
    "items": ("item_id",),
    "payments": ("payment_id",),
    "ledger_entries": ("transaction_id", "entry"),
    "bookings": ("booking_id",),
}


def _keys(row: Row, dataset: str, end: str) -> list[tuple[Any, ...]]:
    """Return the keys of the records that a row makes, if it was created before the end."""
    kind = row["type"]
    if kind == "order" and dataset in {"orders", "order_lines"} and row["head"]["created_at"] < end:
        order = StoredOrder.from_row(row).order
        return [(order.id,)] if dataset == "orders" else [(order.id, line.item_id) for line in order.lines]
    if kind == "booking" and dataset == "bookings" and row["head"]["created_at"] < end:
        return [(row["head"]["id"],)]
    if kind == "item" and dataset == "items" and row["head"]["created_at"] < end:
        return [(row["head"]["id"],)]
    if kind == "payment" and dataset == "payments" and row["created_at"] < end:
        return [(StoredPayment.from_row(row).id,)]
    if kind == "transaction" and dataset == "ledger_entries" and row["head"]["posted_at"] < end:
        return [(row["head"]["id"], number) for number in range(1, len(entry_locations(row)) + 1)]
    return []
