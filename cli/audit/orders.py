"""Audit of orders: totals are sums of lines, and orders have a posted payment if and only if their status needs one."""

from collections.abc import Iterator
from functools import partial

from cli.audit.reading import Reading, broken_unless, require_listed
from cli.audit.state import State
from domain.orders import Charge, Order, OrderLine, OrderStatus
from domain.pricing import ChargeKind
from repositories.dynamodb import keys
from repositories.dynamodb.codec import Row
from repositories.ledger.rows import entry_locations
from repositories.orders.rows import COLLECTION, StoredOrder, order_to_row
from repositories.payments.postings import credits_of, shop_account_id

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
    _check_amounts(order)
    what = f"{name} is {order.status}, {'with' if payment else 'without'} a payment."
    broken_unless((payment is not None) == (order.status in _PAID), what)
    if payment is not None:
        _check_payment(reading, order, payment)
    _add_up(reading.state, stored)


def _check_amounts(order: Order) -> None:
    """Check that totals are sums of lines and charges, and that taxes are sums of theirs."""
    name, charges = f"Order {order.id}", [each for each in order.charges if each.kind is not ChargeKind.DISCOUNT]
    parts: list[OrderLine | Charge] = [*order.lines, *charges]
    tax = sum(part.tax.minor for part in parts)
    discount = sum(part.discount.minor for part in parts)
    subtotal = sum(line.unit_price.minor * line.quantity for line in order.lines)
    added = 0 if order.prices_include_tax else tax
    total = subtotal + sum(each.amount.minor for each in charges) - discount + added
    broken_unless(order.total.minor == total, f"{name}: its total is not the sum of its lines and charges.")
    broken_unless(order.subtotal.minor == subtotal, f"{name}: its subtotal is not the sum of its lines.")
    broken_unless(order.discount_total.minor == discount, f"{name}: its discounts are not spread over its parts.")
    shipping = sum(each.amount.minor for each in charges if each.kind is ChargeKind.SHIPPING)
    broken_unless(order.shipping_total.minor == shipping, f"{name}: its shipping is not the sum of its charges.")
    of_rates = sum(each.amount.minor for each in order.taxes)
    broken_unless(order.tax_total.minor == tax == of_rates, f"{name}: its tax is not the sum of its parts.")


def _check_payment(reading: Reading, order: Order, payment: Row) -> None:
    name, total = f"Order {order.id}", order.total
    broken_unless((payment["amount"], payment["currency"]) == (total.minor, total.currency), f"{name}: {_NOT_TOTAL}")
    if payment["transaction_id"] is None:
        broken_unless(total.minor == 0, f"{name}: the payment is not posted.")
        return
    row = reading.table.get(keys.transaction(reading.tenant, payment["transaction_id"]))
    posted = {place[0]: place[2] for place in entry_locations(row)} if row else {}
    wanted = {"cash": total.minor} | {part: minor for part, minor in credits_of(order).items() if minor}
    accounts = {shop_account_id(reading.tenant, part, total.currency): minor for part, minor in wanted.items()}
    of_it = row is not None and posted == accounts and row["head"].get("order_id") == order.id
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
