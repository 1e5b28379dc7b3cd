"""What an order's payment is for: the accounts that it credits and its refunds debit."""

from collections.abc import Mapping

from domain.orders.amounts import Charge, OrderLine
from domain.orders.order import Order
from domain.orders.pricing import ChargeKind, spread

ACCOUNTS = ("sales", "shipping", "fees", "tax")
"""Accounts that a payment credits, net of tax, in the order of `Refund.debits`."""


def credits_of(order: Order) -> dict[str, int]:
    """Return what an order credits when it is paid, in minor units by account."""
    sums = dict.fromkeys(ACCOUNTS, 0)
    for line in order.lines:
        _add(sums, "sales", line.total.minor, line, order)
    for charge in order.charges:
        if charge.kind is not ChargeKind.DISCOUNT:
            account = "shipping" if charge.kind is ChargeKind.SHIPPING else "fees"
            _add(sums, account, charge.amount.minor, charge, order)
    return sums


def _add(sums: dict[str, int], account: str, amount: int, part: OrderLine | Charge, order: Order) -> None:
    sums[account] += amount - part.discount.minor - (part.tax.minor if order.prices_include_tax else 0)
    sums["tax"] += part.tax.minor


def paid_for(part: OrderLine | Charge, order: Order) -> int:
    """Return what was paid for a line or a charge, with its tax, in minor units."""
    amount = part.total if isinstance(part, OrderLine) else part.amount
    return amount.minor - part.discount.minor + (0 if order.prices_include_tax else part.tax.minor)


def paid_for_units(line: OrderLine, order: Order, units: int) -> int:
    """Return what was paid for the first units of a line: their share, rounded down, so that shares add up."""
    return paid_for(line, order) * units // line.quantity


def unrefunded_of(order: Order) -> dict[str, int]:
    """Return what refunds have left of an order's credits."""
    left = credits_of(order)
    for refund in order.refunds:
        for account, minor in zip(ACCOUNTS, refund.debits, strict=True):
            left[account] -= minor
    return left


def fitted(wanted: Mapping[str, int], left: Mapping[str, int]) -> dict[str, int]:
    """Return debits of as much as `wanted`, none of more than is left of its account.

    What an account lacks, because an amount was refunded before, is spread over what is left of the others.
    """
    taken = {account: min(wanted[account], left[account]) for account in ACCOUNTS}
    lacking = sum(wanted.values()) - sum(taken.values())
    more = spread_over({account: left[account] - taken[account] for account in ACCOUNTS}, lacking)
    return {account: taken[account] + more[account] for account in ACCOUNTS}


def spread_over(left: Mapping[str, int], minor: int) -> dict[str, int]:
    """Return an amount spread over what is left of accounts, in proportion."""
    return dict(zip(ACCOUNTS, spread(minor, [left[account] for account in ACCOUNTS]), strict=True))
