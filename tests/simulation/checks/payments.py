"""What must hold of payments by providers at the end: money at the providers, payments, books and orders agree."""

from collections import Counter
from decimal import Decimal
from typing import Any

from domain.payments.protocol import SETTLED, Stage
from repositories.orders.rows import StoredOrder
from repositories.payments.rows import StoredPayment
from tests.simulation.checks.violation import require
from tests.simulation.workload.actors import World
from tests.simulation.world.model import Model


def check_payments(world: World, model: Model) -> None:
    """Check that what the providers hold is what is captured, and that it is in the books."""
    payments = [StoredPayment.from_row(row) for row in model.rows.values() if row["type"] == "payment"]
    orders = [StoredOrder.from_row(row) for row in model.rows.values() if row["type"] == "order"]
    for payment in payments:
        require(payment.stage in SETTLED, f"{payment.id} is still {payment.stage}.")
    captured = Counter(each.order_id for each in payments if each.stage is Stage.CAPTURED)
    for stored in orders:
        name, paid_by = stored.order.id, stored.paid_by
        require(captured[name] == (paid_by is not None), f"{name} has {captured[name]} captured payments.")
        is_paid = stored.order.payment_status in {"paid", "partially_refunded", "refunded"}
        require(is_paid == (paid_by is not None), f"{name} is {stored.order.payment_status}, {paid_by}.")
        require(not paid_by or not paid_by.refund, f"{name} has a refund that is open.")
    held = _held(world)
    for payment in payments:
        there = held.pop(payment.external_id or "", 0)
        wanted = _wanted(payment, orders)
        require(there == wanted, f"{payment.id} is {payment.stage}: the provider has {there}, and not {wanted}.")
    require(not any(held.values()), f"The providers have money that no payment has: {held}")
    _check_books(world, model)


def _wanted(payment: StoredPayment, orders: list[StoredOrder]) -> int:
    """Return what the provider should have of a payment, in cents."""
    if payment.stage is not Stage.CAPTURED:
        return 0
    [order] = [each.order for each in orders if each.order.id == payment.order_id]
    return order.total.minor - order.refunded_total.minor


def _held(world: World) -> dict[str, int]:
    """Return what the providers have of each payment, in cents, by its id there. Nothing is only authorised."""
    held: dict[str, int] = {}
    store = world.network.banks.store
    for account in store.accounts():
        for intent in store.all(account, "payment_intent"):
            require(intent["status"] != "requires_capture", f"{intent['id']} is still authorised.")
            charge = store.get(account, "charge", intent["latest_charge"] or "") or Counter()
            held[intent["id"]] = charge["amount_captured"] - charge["amount_refunded"]
        for order in store.all(account, "order"):
            made = order["purchase_units"][0].get("payments", {})
            open_ones = [each for each in made.get("authorizations", []) if each["status"] == "CREATED"]
            require(not open_ones, f"{order['id']} is still authorised.")
            held[order["id"]] = _sum(made.get("captures", [])) - _sum(made.get("refunds", []))
    return held


def _sum(parts: list[dict[str, Any]]) -> int:
    return sum(int(Decimal(each["amount"]["value"]) * 100) for each in parts)


def _check_books(world: World, model: Model) -> None:
    """Check that reconciliation has found no difference."""
    cursors = [row for row in model.rows.values() if row["type"] == "provider_cursor"]
    require(len(cursors) == 2, f"{len(cursors)} balances are reconciled.")
    for row in cursors:
        require(row.get("checked_at"), f"{row['pk']} was never compared.")
        require(row["differences"] == {}, f"{row['pk']} differs: {row['differences']}")
    moved = sum(
        len(world.network.banks.store.all(account, kind))
        for account in world.network.banks.store.accounts()
        for kind in ("balance_transaction", "movement")
    )
    noted = sum(row["type"] == "movement" for row in model.rows.values())
    require(noted == moved, f"{noted} of {moved} movements are in the books.")
