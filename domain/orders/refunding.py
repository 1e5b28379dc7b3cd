"""Refund of an order, in parts or as a whole: money, units and stock."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from domain.common.errors import Flaw, InvalidState, RefundTooLarge
from domain.common.money import Money
from domain.common.validation import invalid_input
from domain.orders.amounts import Charge, OrderLine, shipped_of
from domain.orders.order import Order
from domain.orders.parts import MAX_PARTS, NewRefund, Refund, RefundLine, too_many
from domain.orders.pricing import ChargeKind
from domain.orders.reserved import next_reserved
from domain.orders.revenue import ACCOUNTS, fitted, paid_for, paid_for_units, spread_over, unrefunded_of
from domain.orders.status import UNPAID, FulfillmentStatus, OrderStatus, require_move
from domain.stock import Reservation, UnitChange, merged, released, restocked


@dataclass(frozen=True, slots=True)
class Refunding:
    """A refund, the order after it, what it debits by account, and the changes of stock."""

    order: Order
    refund: Refund
    debits: Mapping[str, int]
    changes: list[UnitChange]


@dataclass(frozen=True, slots=True)
class Issue:
    """Ids and actor of a refund."""

    refund_id: str
    transaction_id: str
    by: str
    at: datetime
    reason: str | None


@dataclass(slots=True)
class _Units:
    """Units of an order that are being refunded: its lines after it, and the changes of stock."""

    lines: dict[str, OrderLine]
    holds: Sequence[Reservation]
    changes: list[UnitChange] = field(default_factory=list)

    def refund(self, item_id: str, units: int, *, restock: bool) -> None:
        """Free units that were not shipped; others return to the stock with `restock`."""
        line = self.lines[item_id]
        freed = self.free(item_id, units)
        back = units - freed if restock and not line.booking_id else 0
        hold = next((each for each in self.holds if each.item_id == item_id), None)
        if back and hold:
            self.changes.append(restocked(Reservation(item_id, hold.shard, back)))
        self.lines[item_id] = line.plus(returned=units, freed=freed, restocked=back)

    def free_rest(self) -> list[RefundLine]:
        """Free all units that were not shipped, and return them as lines of the refund."""
        rest = [RefundLine(item_id=each, quantity=line.to_ship) for each, line in self.lines.items() if line.to_ship]
        for line in rest:
            self.refund(line.item_id, line.quantity, restock=False)
        return rest

    def free(self, item_id: str, units: int) -> int:
        """Release up to `units` units that were not shipped, and return their number."""
        line = self.lines[item_id]
        freed = min(units, line.to_ship)
        gone = line.shipped + line.freed
        self.changes += [released(each) for each in next_reserved(self.holds, item_id, gone, freed)]
        return freed


def refund(order: Order, holds: Sequence[Reservation], new: NewRefund, issue: Issue) -> Refunding:
    """Return the refund of lines and shipping, or of an amount. Lines can be refunded with shipping that is free.

    Raises RefundTooLarge for more units than were bought, or more money than is left; InvalidState if the order was not
    paid; ValidationFailed for an amount in another currency.
    """
    if order.status in UNPAID:
        raise InvalidState(f"An order that is {order.status} cannot be refunded.")
    if order.status is OrderStatus.REFUNDED:
        raise RefundTooLarge("The order is refunded: nothing is left.")
    if len(order.refunds) >= MAX_PARTS - 1:
        raise InvalidState(f"An order has {MAX_PARTS} refunds at most: refund everything that is left.")
    left = unrefunded_of(order)
    units = _units(order, holds)
    if new.amount is not None:
        _require_currency(new.amount, order)
        _require_left(new.amount.minor, order, "/amount")
        return _refunding(order, units, [], spread_over(left, new.amount.minor), issue)
    wanted = dict.fromkeys(ACCOUNTS, 0)
    _require_bought(order, new.lines or ())
    lines = _merged(new.lines or ())
    for line in lines:
        _add(wanted, _share(units.lines[line.item_id], line.quantity, order))
        units.refund(line.item_id, line.quantity, restock=line.restock)
    shipping = new.shipping and (_has_shipping(order) or not lines)
    if shipping:
        _add(wanted, _shipping_of(order))
    _require_left(sum(wanted.values()), order, "/lines" if lines else "/shipping")
    return _refunding(order, units, lines, fitted(wanted, left), issue, shipping=shipping)


def refund_rest(order: Order, holds: Sequence[Reservation], issue: Issue) -> Refunding:
    """Return the refund of everything that is left of an order. Raises InvalidState."""
    require_move(order.status, OrderStatus.REFUNDED)
    lines = [RefundLine(item_id=each.item_id, quantity=each.refundable) for each in order.lines if each.refundable]
    units = _units(order, holds)
    for line in lines:
        units.refund(line.item_id, line.quantity, restock=False)
    shipping = _has_shipping(order) and not _has_refunded_shipping(order)
    return _refunding(order, units, lines, unrefunded_of(order), issue, shipping=shipping, rest=True)


def _units(order: Order, holds: Sequence[Reservation]) -> _Units:
    return _Units({line.item_id: line for line in order.lines}, holds)


def _merged(lines: Iterable[RefundLine]) -> list[RefundLine]:
    """Return lines with those of one item added up, unless they differ in `restock`.

    Lines to restock come last: the first ones take the units that were not shipped.
    """
    units: dict[tuple[str, bool], int] = {}
    for line in lines:
        units[line.item_id, line.restock] = units.get((line.item_id, line.restock), 0) + line.quantity
    merged_lines = [RefundLine(item_id=item, quantity=count, restock=each) for (item, each), count in units.items()]
    return sorted(merged_lines, key=lambda line: line.restock)


def _require_bought(order: Order, lines: Iterable[RefundLine]) -> None:
    """Raise RefundTooLarge with a flaw for each line with more units than are left."""
    flaws = too_many(lines, {line.item_id: line.refundable for line in order.lines}, "REFUND_TOO_LARGE")
    if flaws:
        raise RefundTooLarge("More units would be refunded than are left of those bought.", *flaws)


def _require_left(minor: int, order: Order, pointer: str) -> None:
    if minor > order.unrefunded:
        left = Money.of_minor(order.unrefunded, order.total.currency)
        flaw = Flaw(pointer, "REFUND_TOO_LARGE", f"{left} is left.")
        raise RefundTooLarge("More would be refunded than is left.", flaw)


def _require_currency(amount: Money, order: Order) -> None:
    if amount.currency != order.total.currency:
        detail = f"The order is in {order.total.currency}."
        raise invalid_input([Flaw("/amount/currency", "CURRENCY_MISMATCH", detail)])


def _share(line: OrderLine, units: int, order: Order) -> dict[str, int]:
    """Return what the next `units` units of a line debit: their share, rounded so that all shares sum to the whole."""
    paid = paid_for(line, order)
    before = paid_for_units(line, order, line.returned)
    after = paid_for_units(line, order, line.returned + units)
    tax = _tax_in(line, after, paid) - _tax_in(line, before, paid)
    return {"sales": after - before - tax, "tax": tax}


def _tax_in(part: OrderLine, minor: int, paid: int) -> int:
    """Return the tax in the first `minor` units of money of what was paid for a line."""
    return part.tax.minor * minor // paid if paid else 0


def _shipping_of(order: Order) -> dict[str, int]:
    """Return what the charges for shipping debit. Raises RefundTooLarge if none is left."""
    if not _has_shipping(order) or _has_refunded_shipping(order):
        detail = "It was refunded before." if _has_shipping(order) else "The order has no charge for shipping."
        raise RefundTooLarge("No shipping is left to refund.", Flaw("/shipping", "REFUND_TOO_LARGE", detail))
    charges = [each for each in order.charges if _is_shipping(each)]
    tax = sum(each.tax.minor for each in charges)
    return {"shipping": sum(paid_for(each, order) for each in charges) - tax, "tax": tax}


def _has_refunded_shipping(order: Order) -> bool:
    return any(each.shipping for each in order.refunds)


def _has_shipping(order: Order) -> bool:
    return any(_is_shipping(each) for each in order.charges)


def _is_shipping(charge: Charge) -> bool:
    return charge.kind is ChargeKind.SHIPPING


def _add(sums: dict[str, int], more: Mapping[str, int]) -> None:
    for account, minor in more.items():
        sums[account] += minor


def _refunding(
    order: Order,
    units: _Units,
    lines: list[RefundLine],
    debits: Mapping[str, int],
    issue: Issue,
    *,
    shipping: bool = False,
    rest: bool = False,
) -> Refunding:
    minor = sum(debits.values())
    refunded = order.refunded_total.minor + minor
    has_value = order.total.minor > 0
    all_units = not any(line.refundable for line in units.lines.values())
    status = order.status
    if rest or (refunded == order.total.minor and (has_value or all_units)):
        status = OrderStatus.REFUNDED
        lines = [*lines, *units.free_rest()]
    elif status is OrderStatus.PAID and shipped_of(units.lines.values()) is FulfillmentStatus.SHIPPED:
        status = OrderStatus.SHIPPED
    made = Refund(
        id=issue.refund_id,
        order_id=order.id,
        amount=Money.of_minor(minor, order.total.currency),
        lines=lines,
        shipping=shipping,
        reason=issue.reason,
        transaction_id=issue.transaction_id if minor else None,
        created_at=max(issue.at, order.updated_at),
        debits=(debits["sales"], debits["shipping"], debits["fees"], debits["tax"]),
    )
    after = order.changed(
        issue.by,
        issue.at,
        status=status,
        lines=[units.lines[line.item_id] for line in order.lines],
        refunds=[*order.refunds, made],
        refunded_total=Money.of_minor(refunded, order.total.currency),
    )
    return Refunding(after, made, debits, merged(units.changes))
