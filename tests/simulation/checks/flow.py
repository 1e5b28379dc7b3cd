"""What must hold of events that have left the table: bus, figures and deliveries."""

from collections import Counter
from datetime import datetime, timedelta

from domain.common.ids import time_of
from domain.event_types import type_of
from domain.orders.order import Order
from domain.stats import additions
from repositories.orders.rows import StoredOrder
from repositories.stats.counting import counted_in, shown_generation
from tests.simulation.checks.violation import require
from tests.simulation.workload.actors import World
from tests.simulation.workload.hooks import ENDPOINTS
from tests.simulation.world.flow import Flow
from tests.simulation.world.model import Model


def check_flow(world: World, model: Model, flow: Flow) -> None:
    """Check that everything that was committed has arrived everywhere, once where it must be once."""
    written = {each["id"]: each for row in model.rows.values() if row["type"] == "event" for each in row["events"]}
    missed = written.keys() - set(flow.on_bus)
    require(not missed, f"The bus has missed {missed}.")
    _check_figures(world, model)
    for name in ENDPOINTS:
        _check_deliveries(world, model, name)
    for name, event in world.tested:
        got = any(each[0] == name and each[3] == event for each in world.received)
        require(got, f"The test {event} has not arrived at {name}.")


def _check_figures(world: World, model: Model) -> None:
    """Compare what is counted with the orders, and the figures with a sum of their own."""
    prefix = f"T#{world.tenant}#"
    generation = shown_generation(model.rows.get((f"{prefix}STATS", "STATS")))
    orders = [StoredOrder.from_row(row).order for row in model.rows.values() if row["type"] == "order"]
    for order in orders:
        counted = counted_in(model.rows.get((f"{prefix}ORDER#{order.id}", "COUNTED")), generation)
        wanted = len(additions(order))
        require(counted == wanted, f"{counted} of {wanted} additions of {order.id} are counted.")
    sums: Counter[str] = Counter()
    for (pk, sk), row in model.rows.items():
        if pk.startswith(f"{prefix}SALES#{generation}#") and sk.startswith("DAY#"):
            sums.update({name: row.get(name, 0) for name in ("orders", "units", "net", "refunds")})
    paid = [order for order in orders if order.payment_status != "unpaid"]
    assert_same(sums["orders"], len(paid), "orders")
    assert_same(sums["units"], sum(line.quantity for order in paid for line in order.lines), "units")
    assert_same(sums["refunds"], sum(_refunded(order) for order in paid), "refunds")
    assert_same(sums["net"], sum(order.total.minor - _refunded(order) for order in paid), "net")


def _refunded(order: Order) -> int:
    return order.refunded_total.minor


def assert_same(figure: int, wanted: int, name: str) -> None:
    """Require a figure to be what the orders say."""
    require(figure == wanted, f"The figures have {figure} {name}, and the orders {wanted}.")


def _check_deliveries(world: World, model: Model, name: str) -> None:
    prefix, endpoint = f"T#{world.tenant}#", world.hooks[name]
    since = model.rows[f"{prefix}HOOKS", endpoint]["endpoint"]["created_at"]
    types = ENDPOINTS[name].get("types")
    wanted: dict[str, tuple[str, int]] = {}
    for row in model.rows.values():
        for each in row["events"] if row["type"] == "event" else ():
            is_later = datetime.fromisoformat(row["at"]) >= datetime.fromisoformat(since)
            if is_later and (types is None or type_of(each["kind"]) in types):
                wanted[each["id"]] = (each["subject"], each["sequence"])
    got = {each[3] for each in world.received if each[0] == name}
    require(not wanted.keys() - got, f"{name} has missed {wanted.keys() - got}.")
    strange = got - wanted.keys()
    require(all(_is_test(model, prefix, endpoint, each) for each in strange), f"{name} got {strange}.")
    for (pk, sk), row in model.rows.items():
        if pk == f"{prefix}HOOK#{endpoint}" and row["type"] == "delivery":
            require(row["status"] == "succeeded", f"{sk} to {name} is {row['status']}.")
    if ENDPOINTS[name]["ordering"] == "subject":
        _check_order(world, name)


def _is_test(model: Model, prefix: str, endpoint: str, event: str) -> bool:
    row = model.rows.get((f"{prefix}HOOK#{endpoint}", f"DELIVERY#{event}"))
    return bool(row and row["delivery"]["type"] == "tradepost.webhook.test")


def _check_order(world: World, name: str) -> None:
    """Check that events of a subject first arrived in order, but for those that were sent again by hand.

    Subjects that are older than the endpoint, or as old, may have had events before that it does not get.
    """
    last: dict[str, int] = {}
    begun = time_of(world.hooks[name])
    seen: set[str] = set()
    for each, subject, sequence, event, _ in world.received:
        if each != name or event in seen or event in world.again or sequence == 0:  # tests have no place in an order
            continue
        seen.add(event)
        born = time_of(subject.partition("/")[0])
        is_whole = begun and born and born > begun + timedelta(seconds=12)
        require(
            sequence > last.get(subject, 0) or not is_whole,
            f"{name} got event {sequence} of {subject} after {last.get(subject)}.",
        )
        last[subject] = max(sequence, last.get(subject, 0))
