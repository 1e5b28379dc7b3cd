"""Audit of orders: totals are sums of lines, and orders have a posted payment if and only if their status needs one."""

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import partial

from cli.audit.reading import Reading, broken_unless, require_listed
from cli.audit.sales import add_sales
from cli.audit.state import State
from domain.orders.amounts import Charge, OrderLine
from domain.orders.order import Order
from domain.orders.pricing import ChargeKind
from domain.orders.reserved import left_stock, still_reserved
from domain.orders.revenue import ACCOUNTS, credits_of, unrefunded_of
from domain.orders.status import ENDED_UNPAID, UNPAID, OrderStatus
from repositories.dynamodb import keys
from repositories.dynamodb.codec import Row
from repositories.dynamodb.keys import Key
from repositories.ledger.rows import entry_locations
from repositories.orders.rows import COLLECTION, PaidBy, StoredOrder, order_to_row
from repositories.payments.postings import collecting_account, shop_account_id
from repositories.payments.rows import MANUAL
from repositories.stats import keys as stats_keys


def check_orders(reading: Reading) -> Iterator[None]:
    """Check every order, and add up reserved and shipped units."""
    for rows in reading.listed(COLLECTION):
        for row in rows:
            reading.require(partial(_check_order, reading, row["head"]["id"]))
            yield


def payment_key(reading: Reading, order_id: str) -> Key:
    """Return the key of the payment that an order names, or of the one that it may have without naming it."""
    paid_by = PaidBy.from_row(reading.table.get(keys.order(reading.tenant, order_id)) or {})
    if paid_by is None:
        return keys.first_payment(reading.tenant, order_id)
    return keys.payment(reading.tenant, paid_by.payment_id)


def _check_order(reading: Reading, order_id: str) -> None:
    name = f"Order {order_id}"
    key, paid = keys.order(reading.tenant, order_id), payment_key(reading, order_id)
    counted, stats = stats_keys.counted(reading.tenant, order_id), stats_keys.stats(reading.tenant)
    rows = reading.together([key, paid, counted, stats])
    broken_unless(key in rows, f"{name} is listed and not there.")
    stored, payment = StoredOrder.from_row(rows[key]), rows.get(paid)
    order = stored.order
    require_listed(rows[key], order_to_row(reading.tenant, order, stored.holds, stored.paid_by), name)
    _check_amounts(order)
    what = f"{name} is {order.status}, {'with' if payment else 'without'} a payment."
    is_paid = order.status not in UNPAID
    broken_unless((payment is not None) == (is_paid or stored.paid_by is not None), what)
    _check_units(order)
    if payment is not None and is_paid:
        _check_payment(reading, stored, payment)
    add_sales(reading, order, rows.get(counted), rows.get(stats))
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
    by_code = order.discount.amount.minor if order.discount else 0
    others = sum(each.amount.minor for each in order.charges if each.kind is ChargeKind.DISCOUNT)
    broken_unless(discount == by_code + others, f"{name}: its discounts are not those of its code and charges.")
    shipping = sum(each.amount.minor for each in charges if each.kind is ChargeKind.SHIPPING)
    broken_unless(order.shipping_total.minor == shipping, f"{name}: its shipping is not the sum of its charges.")
    of_rates = sum(each.amount.minor for each in order.taxes)
    broken_unless(order.tax_total.minor == tax == of_rates, f"{name}: its tax is not the sum of its parts.")


def _check_payment(reading: Reading, stored: StoredOrder, payment: Row) -> None:
    order, paid_by = stored.order, stored.paid_by
    name, total = f"Order {order.id}", order.total
    broken_unless((payment["amount"], payment["currency"]) == (total.minor, total.currency), f"{name}: {_NOT_TOTAL}")
    transaction_id = payment.get("transaction_id")
    if transaction_id is None:
        broken_unless(total.minor == 0, f"{name}: the payment is not posted.")
        return
    posted = {part: minor for part, minor in credits_of(order).items() if minor}
    broken_unless(paid_by is None or paid_by.transaction_id == transaction_id, f"{name}: {_NOT_NAMED}")
    row = _posting(reading, stored, transaction_id, total.minor, posted)
    broken_unless(row is not None, f"{name}: the books do not have its payment.")
    reversed_by = row["head"].get("reversed_by") if row else None
    whole = next((each for each in order.refunds if each.amount == total), None)
    is_whole = order.status is OrderStatus.REFUNDED and (whole is not None or not order.refunds)
    said = reversed_by == whole.transaction_id if whole else (reversed_by is not None) == is_whole
    broken_unless(said, f"{name} is {order.status}: its posting says otherwise.")
    _check_refunds(reading, stored)


_NOT_TOTAL = "the payment is not its total."
_NOT_NAMED = "it names another posting of its payment."


def _check_refunds(reading: Reading, stored: StoredOrder) -> None:
    """Check that refunds add up, and that each is posted."""
    order = stored.order
    name = f"Order {order.id}"
    if not order.refunds:
        return
    refunded = sum(each.amount.minor for each in order.refunds)
    broken_unless(order.refunded_total.minor == refunded, f"{name}: its refunds are not its refunded total.")
    left = unrefunded_of(order)
    adds_up = min(left.values()) >= 0 and sum(left.values()) == order.unrefunded
    broken_unless(adds_up, f"{name}: its refunds take more of an account than was paid.")
    is_rest = order.status is OrderStatus.REFUNDED
    broken_unless(not is_rest or order.unrefunded == 0, f"{name} is refunded, and not all of it.")
    for refund in order.refunds:
        debits = {part: minor for part, minor in zip(ACCOUNTS, refund.debits, strict=True) if minor}
        broken_unless(sum(debits.values()) == refund.amount.minor, f"{name}: {refund.id} is not what it debits.")
        if refund.transaction_id:
            row = _posting(reading, stored, refund.transaction_id, refund.amount.minor, debits)
            broken_unless(row is not None, f"{name}: the books do not have {refund.id}.")


def _posting(
    reading: Reading, stored: StoredOrder, transaction_id: str, collected: int, others: Mapping[str, int]
) -> Row | None:
    """Return the transaction if it posts these amounts by account, for this order."""
    order, provider = stored.order, stored.paid_by.provider if stored.paid_by else MANUAL
    row = reading.table.get(keys.transaction(reading.tenant, transaction_id))
    posted = {place[0]: place[2] for place in entry_locations(row)} if row else {}
    wanted = {collecting_account(provider): collected, **others}
    accounts = {shop_account_id(reading.tenant, part, order.total.currency): minor for part, minor in wanted.items()}
    return row if row and posted == accounts and row["head"].get("order_id") == order.id else None


def _check_units(order: Order) -> None:
    """Check the counters of lines, and that shipments and refunds add up to them."""
    shipped, returned = Counter[str](), Counter[str]()
    for shipment in order.shipments:
        shipped.update({each.item_id: each.quantity for each in shipment.lines})
    for refund in order.refunds:
        for each in refund.lines:
            returned[each.item_id] += each.quantity
    for line in order.lines:
        name = f"Order {order.id}, {line.item_id}"
        fits = 0 <= line.freed <= line.returned <= line.quantity and line.to_ship >= 0
        broken_unless(fits, f"{name}: more units are shipped or refunded than were bought.")
        broken_unless(line.restocked <= line.returned - line.freed, f"{name}: more units came back than were refunded.")
        same = not order.shipments or shipped[line.item_id] == line.shipped
        broken_unless(same, f"{name}: its shipments are not what was shipped.")
        same = not order.refunds or returned[line.item_id] == line.returned
        broken_unless(same, f"{name}: its refunds are not what was refunded.")


def _add_up(state: State, stored: StoredOrder) -> None:
    for hold in still_reserved(stored.order, stored.holds):
        shards = state.reserved.setdefault(hold.item_id, {})
        shards[str(hold.shard)] = shards.get(str(hold.shard), 0) + hold.units
    for item_id, units in left_stock(stored.order, stored.holds).items():
        state.shipped[item_id] = state.shipped.get(item_id, 0) + units
    order = stored.order
    if order.discount and order.status not in ENDED_UNPAID:
        uses = state.used.setdefault(order.discount.id, {})
        uses[order.customer_id] = uses.get(order.customer_id, 0) + 1
