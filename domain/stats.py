"""Sales figures: what an order adds to them, and how they are shown.

An order only ever adds to its figures: its payment first, then each refund. So the number of additions that have been
counted says what remains to be counted, whatever happened since.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, NamedTuple, Self

from pydantic import MISSING

from domain.common.model import Model, Timestamp
from domain.common.money import SignedMoney
from domain.orders.order import Order
from domain.orders.parts import Refund, RefundLine
from domain.orders.pricing import ChargeKind
from domain.orders.revenue import paid_for, paid_for_units
from domain.orders.status import UNPAID, OrderStatus

type Figures = dict[str, int]
"""Sums by name: orders, units, and minor units of money."""
SALES = ("orders", "units", "gross", "discounts", "tax", "refunds", "net")
"""Names of the figures of a day, or of an item on a day."""
SPENDING = ("orders", "spent")
"""Names of the figures of a customer."""


class Counter(NamedTuple):
    """Figures that additions go to, in one currency: of a day, of an item on a day, or of a customer."""

    of: Literal["day", "item", "customer"]
    currency: str
    day: str = ""
    id: str = ""
    """Id of the item or resource, empty for charges and for refunds that are not of lines; or id of the customer."""


@dataclass(frozen=True, slots=True)
class Addition:
    """Figures that an order adds to a counter."""

    counter: Counter
    figures: Mapping[str, int]


def add_figures(sums: Figures, figures: Mapping[str, int]) -> None:
    """Add figures to sums of the same names."""
    for name, figure in figures.items():
        sums[name] = sums.get(name, 0) + figure


def additions(order: Order) -> list[Addition]:
    """Return what an order adds to all figures, in the order in which it came; nothing if it was not paid.

    A later version of the order has the same additions, and maybe more after them.
    """
    if order.status in UNPAID:
        return []
    found = [*_payment(order)]
    returned: dict[str, int] = {}
    for refund in order.refunds or _whole_refund(order):
        found += _refund(order, refund, returned)
    return found


def _payment(order: Order) -> Iterator[Addition]:
    paid = next(step.at for step in order.history if step.status is OrderStatus.PAID)
    parts = {
        sold_id: _sum(
            _sold(line.quantity, line.total.minor, line.discount.minor, line.tax.minor, paid_for(line, order))
            for line in order.lines
            if line.sold_id == sold_id
        )
        for sold_id in dict.fromkeys(line.sold_id for line in order.lines)
    }
    charges = [
        _sold(0, each.amount.minor, each.discount.minor, each.tax.minor, paid_for(each, order))
        for each in order.charges
        if each.kind is not ChargeKind.DISCOUNT
    ]
    if charges:
        parts[""] = _sum(charges)
    yield from _on_day(order, paid, parts)
    yield Addition(_customer(order), {"orders": 1, "spent": order.total.minor})


def _sold(units: int, gross: int, discounts: int, tax: int, net: int) -> Figures:
    return {"orders": 1, "units": units, "gross": gross, "discounts": discounts, "tax": tax, "net": net}


def _sum(parts: Iterable[Figures]) -> Figures:
    """Return the sum of an order's parts, which is one order."""
    sums: Figures = {}
    for part in parts:
        add_figures(sums, part)
    return sums | ({"orders": 1} if "orders" in sums else {})


def _whole_refund(order: Order) -> list[Refund]:
    """Return the refund of an order that was refunded as a whole before refunds were kept."""
    if order.status is not OrderStatus.REFUNDED:
        return []
    at = next(step.at for step in order.history if step.status is OrderStatus.REFUNDED)
    return [
        Refund(
            id="",
            order_id=order.id,
            amount=order.total,
            lines=[RefundLine(item_id=line.item_id, quantity=line.quantity) for line in order.lines],
            shipping=False,
            reason=None,
            transaction_id=None,
            created_at=at,
        )
    ]


def _refund(order: Order, refund: Refund, returned: dict[str, int]) -> Iterator[Addition]:
    """Yield what a refund adds; `returned` has the units by item that were refunded before, and then those too."""
    lines = {line.item_id: line for line in order.lines}
    amounts: dict[str, int] = {}
    for each in refund.lines:
        line, before = lines[each.item_id], returned.get(each.item_id, 0)
        share = paid_for_units(line, order, before + each.quantity) - paid_for_units(line, order, before)
        amounts[line.sold_id] = amounts.get(line.sold_id, 0) + share
        returned[each.item_id] = before + each.quantity
    # Charges, amounts without lines, and what such amounts have left for later refunds of lines.
    amounts[""] = refund.amount.minor - sum(amounts.values())
    parts = {item_id: {"refunds": minor, "net": -minor} for item_id, minor in amounts.items() if minor}
    yield from _on_day(order, refund.created_at, parts)
    yield Addition(_customer(order), {"spent": -refund.amount.minor})


def _on_day(order: Order, at: datetime, parts: Mapping[str, Figures]) -> Iterator[Addition]:
    """Yield the additions of parts to their items on a day, and of their sum to the day."""
    day, currency = f"{at:%Y-%m-%d}", order.total.currency
    if not parts:
        return
    yield Addition(Counter("day", currency, day), _sum(parts.values()))
    for item_id, part in parts.items():
        yield Addition(Counter("item", currency, day, item_id), part)


def _customer(order: Order) -> Counter:
    return Counter("customer", order.total.currency, id=order.customer_id)


class SalesRow(Model):
    """Sales of a day, or of an item, in one currency. Days are in UTC: of the payment, and of a refund its own.

    `gross` is what units and charges cost before discounts; `net` is what was paid less what was refunded.
    """

    day: date | MISSING = MISSING
    item_id: str | MISSING = MISSING
    currency: str
    orders: int
    """Orders that were paid."""
    units: int
    gross: SignedMoney
    discounts: SignedMoney
    tax: SignedMoney
    """Tax in what was paid, whether prices include it or it was added."""
    refunds: SignedMoney
    net: SignedMoney

    @classmethod
    def of(cls, currency: str, figures: Mapping[str, int], **of: object) -> Self:
        """Return the row of figures in a currency."""
        money = {name: SignedMoney.of_minor(figures.get(name, 0), currency) for name in SALES[2:]}
        counts = {name: figures.get(name, 0) for name in SALES[:2]}
        return cls.model_validate(of | {"currency": currency} | counts | money)


class Sales(Model):
    """Sales by day or item. All that was counted by `as_of` is in them."""

    as_of: Timestamp
    rows: list[SalesRow]


class SpendingRow(Model):
    """Orders that a customer has paid in one currency, and what they paid for them less refunds."""

    currency: str
    orders: int
    spent: SignedMoney


class CustomerStats(Model):
    """Orders of a customer by currency, and the time of the last one."""

    as_of: Timestamp
    last_order_at: Timestamp | None
    rows: list[SpendingRow]


class LowStock(Model):
    """An item and its available units."""

    item_id: str
    sku: str | None
    name: str
    available: int
