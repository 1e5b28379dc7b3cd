"""What must hold of orders: sums, parts, and what is posted."""

from domain.orders.amounts import Charge, OrderLine
from domain.orders.order import Order
from domain.orders.pricing import ChargeKind
from domain.orders.revenue import ACCOUNTS, credits_of
from domain.orders.status import MOVES, OrderStatus
from tests.simulation.checks.violation import require


def check_sums(order: Order) -> None:
    """Check that totals are sums of their parts."""
    charges = [each for each in order.charges if each.kind is not ChargeKind.DISCOUNT]
    parts: list[OrderLine | Charge] = [*order.lines, *charges]
    gross = sum(line.total.minor for line in order.lines) + sum(each.amount.minor for each in charges)
    discount, tax = sum(part.discount.minor for part in parts), sum(part.tax.minor for part in parts)
    require(order.discount_total.minor == discount, f"{order.id} has another discount than its parts.")
    by_code = order.discount.amount.minor if order.discount else 0
    others = sum(each.amount.minor for each in order.charges if each.kind is ChargeKind.DISCOUNT)
    require(discount == by_code + others, f"{order.id} has another discount than its code and its charges.")
    require(order.tax_total.minor == tax, f"{order.id} has another tax than its parts.")
    added = 0 if order.prices_include_tax else tax
    require(order.total.minor == gross - discount + added, f"{order.id} has another total than its parts.")


def check_change(was: Order, order: Order) -> None:
    """Check that an order changed as it may: by a status change, a shipment or a refund."""
    move, name = (was.status, order.status), order.id
    parts = len(order.shipments) + len(order.refunds) - len(was.shipments) - len(was.refunds)
    stays = was.status is order.status and (parts == 1 or was.lines == order.lines)  # a provider may be asked
    require(move in MOVES or stays, f"{name} moved from {move[0]} to {move[1]}.")
    require(parts <= 1, f"{name} got {parts} parts at once.")
    require(order.version == was.version + 1, f"{name} missed a version.")
    require(order.shipments[: len(was.shipments)] == was.shipments, f"{name} has lost a shipment.")
    require(order.refunds[: len(was.refunds)] == was.refunds, f"{name} has lost a refund.")
    refunded = sum(each.amount.minor for each in order.refunds)
    require(order.refunded_total.minor == refunded <= order.total.minor, f"{name} has refunded {refunded}.")
    require(sum(each.shipping for each in order.refunds) <= 1, f"{name} has refunded its shipping twice.")
    if order.status is OrderStatus.REFUNDED:
        require(refunded == order.total.minor, f"{name} is refunded, and {refunded} of it.")
    for line in order.lines:
        shipped = sum(each.quantity for part in order.shipments for each in part.lines if each.item_id == line.item_id)
        returned = sum(each.quantity for part in order.refunds for each in part.lines if each.item_id == line.item_id)
        require(line.shipped == shipped, f"{name} has {line.shipped} shipped, its shipments {shipped}.")
        require(returned == line.returned <= line.quantity, f"{name} has {line.returned} returned, not {returned}.")
        require(line.to_ship >= 0, f"{name} shipped and freed more than was bought.")
        require(line.restocked <= line.returned - line.freed, f"{name} got more back than was refunded.")


def due_postings(was: Order, order: Order, collected: str) -> dict[str, int]:
    """Return what a change of an order must post: debits positive, credits negative, by account."""
    if was.status is OrderStatus.PENDING and order.status is OrderStatus.PAID:
        due = {collected: order.total.minor} | {each: -minor for each, minor in credits_of(order).items()}
    elif len(order.refunds) > len(was.refunds):
        refund = order.refunds[-1]
        due = {collected: -refund.amount.minor} | dict(zip(ACCOUNTS, refund.debits, strict=True))
    else:
        due = {}
    return {account: minor for account, minor in due.items() if minor}


def check_refunded(order: Order) -> None:
    """Check that refunds take from each account what was paid to it, and no more."""
    for account, paid in credits_of(order).items():
        place = ACCOUNTS.index(account)
        taken = sum(each.debits[place] for each in order.refunds)
        require(0 <= taken <= paid, f"{order.id} has refunded {taken} of {paid} from {account}.")
        if order.status is OrderStatus.REFUNDED:
            require(taken == paid, f"{order.id} is refunded, and of {paid} in {account} only {taken}.")
