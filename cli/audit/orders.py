"""Audit of orders: totals are sums of lines, and orders have a posted payment if and only if their status needs one."""

from collections.abc import Iterator
from functools import partial

from cli.audit.reading import Reading, broken_unless, require_listed
from cli.audit.state import State
from domain.ledger.accounts import Direction
from domain.orders import Order, OrderStatus, total_of
from repositories.dynamodb import keys
from repositories.dynamodb.codec import Row
from repositories.ledger.rows import entry_locations
from repositories.orders.rows import COLLECTION, StoredOrder, order_to_row

_HOLDING = {OrderStatus.PENDING, OrderStatus.PAID}
_GONE = {OrderStatus.SHIPPED, OrderStatus.DELIVERED}
_PAID = {OrderStatus.PAID, OrderStatus.REFUNDED} | _GONE


def check_orders(reading: Reading) -> Iterator[None]:
    """Check every order, and add up reserved and shipped units."""
    for rows in reading.listed(COLLECTION):
        for row in rows:
            reading.require(partial(_check_order, reading, row["head"]["id"]))
            yield


def _check_order(reading: Reading, order_id: str) -> None:
    name = f"Order {order_id}"
    key, paid = keys.order(reading.tenant, order_id), keys.payment(reading.tenant, order_id, 1)
    rows = reading.together([key, paid])
    broken_unless(key in rows, f"{name} is listed and not there.")
    stored, payment = StoredOrder.from_row(rows[key]), rows.get(paid)
    order = stored.order
    require_listed(rows[key], order_to_row(reading.tenant, order, stored.holds), name)
    broken_unless(order.total == total_of(order.lines), f"{name}: its total is not the sum of its lines.")
    what = f"{name} is {order.status}, {'with' if payment else 'without'} a payment."
    broken_unless((payment is not None) == (order.status in _PAID), what)
    if payment is not None:
        _check_payment(reading, order, payment)
    _add_up(reading.state, stored)


def _check_payment(reading: Reading, order: Order, payment: Row) -> None:
    name, total = f"Order {order.id}", order.total
    broken_unless((payment["amount"], payment["currency"]) == (total.minor, total.currency), f"{name}: {_NOT_TOTAL}")
    if payment["transaction_id"] is None:
        broken_unless(total.minor == 0, f"{name}: the payment is not posted.")
        return
    row = reading.table.get(keys.transaction(reading.tenant, payment["transaction_id"]))
    posted = sum(place[2] for place in entry_locations(row) if place[1] == Direction.DEBIT) if row else None
    of_it = row is not None and posted == total.minor and row["head"].get("order_id") == order.id
    broken_unless(of_it, f"{name}: the books do not have its payment.")
    reversed_ = row is not None and "reversed_by" in row["head"]
    is_refunded = order.status is OrderStatus.REFUNDED
    broken_unless(reversed_ == is_refunded, f"{name} is {order.status}: its posting says otherwise.")


_NOT_TOTAL = "the payment is not its total."


def _add_up(state: State, stored: StoredOrder) -> None:
    for hold in stored.holds:
        if stored.order.status in _HOLDING:
            shards = state.reserved.setdefault(hold.item_id, {})
            shards[str(hold.shard)] = shards.get(str(hold.shard), 0) + hold.units
        elif stored.order.status in _GONE:
            state.shipped[hold.item_id] = state.shipped.get(hold.item_id, 0) + hold.units
