"""What must hold at the end, when nothing fails any more and everything had time to settle."""

import zlib
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.progress import Progress

from cli.audit import Audit, BrokenError
from repositories.aws.clients import dynamodb
from repositories.dynamodb.codec import Row
from repositories.dynamodb.table import Meter, Table
from repositories.orders.rows import StoredOrder
from tests.simulation.checks.bookings import check_bookings
from tests.simulation.checks.violation import require
from tests.simulation.workload.actors import World
from tests.simulation.world.model import Model


def check_end(world: World, model: Model) -> None:
    """Check that all that was promised is there once, that holds ended, people can sign in and the audit agrees."""
    _check_promises(world, model)
    _check_orders(world, model)
    _check_erased(world, model)
    _check_people(world, model)
    _check_finals(world, model)
    _check_events(world, model)
    _check_feed(world, model)
    check_bookings(world, model)
    with TemporaryDirectory() as folder:
        table = Table(dynamodb(), "simulated", Meter())
        audit = Audit(table, world.tenant, Path(folder, "state"), 1e9, Progress(disable=True))
        try:
            audit.run()
        except BrokenError as broken:
            require(False, f"The audit: {broken}")
        require(not audit.unsettled, f"The audit could not settle {audit.unsettled}.")


def _check_promises(world: World, model: Model) -> None:
    rows = model.rows
    prefix = f"T#{world.tenant}#"
    counted = Counter(event["data"]["reason"] for event in world.watch.told["StockAdjusted"])
    require(all(times == 1 for times in counted.values()), "A count was made twice.")
    names = {name for each in world.watch.names.values() for name in each}
    first = Counter(each[0] for each in world.watch.names.values() if each)
    require(all(times == 1 for times in first.values()), "An item was created twice.")
    for kind, what in world.promised:
        if kind == "order":
            row = rows.get((f"{prefix}ORDER#{what[0]}", "ORDER"))
            require(
                row and StoredOrder.from_row(row).order.note == what[1],
                f"Order {what[0]} was promised and is not there.",
            )
        elif kind in {"move", "part"}:
            order = StoredOrder.from_row(rows[f"{prefix}ORDER#{what[0]}", "ORDER"]).order
            moves = [step.status.value for step in order.history]
            parts = [each.id for each in order.shipments] + [each.id for each in order.refunds]
            require((moves + parts).count(what[1]) == 1, f"Order {what[0]} had {what[1]}, and has it no more.")
        elif kind == "count":
            require(counted[what] == 1, f"Count {what} was promised and not made.")
        elif kind == "edit":
            require(what in names, f"Edit {what} was promised and not made.")
        elif kind == "item":
            require((f"{prefix}ITEM#{what[0]}", "ITEM") in rows, f"Item {what[0]} was promised and is not there.")
        elif kind == "transaction":
            require((f"{prefix}TXN#{what[0]}", "TXN") in rows, f"{what[0]} was promised and is not there.")


_EMPTY = zlib.compress(b"")


def _check_erased(world: World, model: Model) -> None:
    """No row shows the name of an erased user."""
    erased = {
        name
        for row in model.rows.values()
        if row["type"] == "user" and row["head"]["status"] == "deleted"
        for name in world.watch.called[row["head"]["id"]]
    }
    for row in model.rows.values():
        text = str(row) + (
            zlib.decompress(row["body"]).decode() if row["type"] == "idempotency" and "body" in row else ""
        )
        left = [name for name in erased if name in text]
        require(not left, f"The name of an erased user is in a row of type {row['type']}.")


def _check_orders(world: World, model: Model) -> None:
    orders = [StoredOrder.from_row(row).order for row in model.rows.values() if row["type"] == "order"]
    notes = Counter(order.note for order in orders)
    require(all(times == 1 for times in notes.values()), "An order was placed twice.")
    for order in orders:
        require(order.status != "pending", f"The hold of order {order.id} never ended.")
    references = Counter(
        row["head"].get("reference")
        for row in model.rows.values()
        if row["type"] == "transaction" and "reverses" not in row["head"] and not _is_refund(row)
    )
    require(all(times == 1 for name, times in references.items() if name), "A transaction was posted twice.")


def _is_refund(row: Row) -> bool:
    """Return whether a transaction posts a refund, or late money: an order can have several."""
    return bool(row["head"]["description"].startswith(("Refund of ", "Late ", "Return of ")))


def _check_people(world: World, model: Model) -> None:
    users = [row for row in model.rows.values() if row["type"] == "user"]
    active = [row for row in users if row["head"]["status"] == "active"]
    require(any(row["head"]["role"] == "owner" for row in active), "The tenant has no owner.")
    emails = Counter(row["head"]["email"] for row in active)
    require(all(times == 1 for times in emails.values()), f"Two users have one address: {emails}")
    for row in active:
        signs_in = world.pool.with_subject(row["head"]["id"])
        require(signs_in, f"The active user {row['head']['id']} cannot sign in.")


def _check_finals(world: World, model: Model) -> None:
    for account, as_of, minor in world.finals:
        head = next(row["head"] for row in world.watch.accounts.values() if row["head"]["id"] == account)
        normal = "debit" if head["type"] in {"asset", "expense"} else "credit"
        entries = [row for (pk, _), row in model.rows.items() if row["type"] == "entry" and f"#{account}" in pk]
        total = sum(
            row["amount"] if row["direction"] == normal else -row["amount"]
            for row in entries
            if row["posted_at"] <= as_of
        )
        require(total == minor, f"The balance of {head['code']} at {as_of} was final with {minor}, and is {total}.")


def _check_feed(world: World, model: Model) -> None:
    """Each event was read from the feed once, and those of a subject in order."""
    written = Counter(each["id"] for row in model.rows.values() if row["type"] == "event" for each in row["events"])
    read = Counter(event_id for *_, event_id in world.fed)
    require(written == read, f"The feed has missed {written - read}, and has {read - written} too often.")
    last: dict[str, int] = {}
    for subject, sequence, _ in world.fed:
        require(sequence == last.get(subject, 0) + 1, f"The feed has event {sequence} of {subject} out of order.")
        last[subject] = sequence


def _check_events(world: World, model: Model) -> None:
    for row in model.rows.values():
        told = world.watch.events
        if row["type"] == "order":
            require(told.get(row["head"]["id"], 0) == row["version"], f"{row['head']['id']} has missed an event.")
        elif row["type"] == "item":
            require(told.get(row["head"]["id"], 0) == row["edits"], f"{row['head']['id']} has missed an event.")
        elif row["type"] == "user":
            require(told.get(row["head"]["id"], 0) == row["version"], f"User {row['head']['id']} has missed an event.")
