"""Credits matched to the customer's earlier orders, also of earlier days: they become refunds of parts of orders."""

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Self

from cli.replay.invoices import Article, Credit, Line, Sale


@dataclass(slots=True)
class Bought:
    """What is left of an order to take back."""

    sale: Sale
    units: dict[Article, int]
    articles: Decimal
    """Money for articles; zero with a discount, which makes units cheaper than their price."""
    shipping: Decimal
    fees: Decimal

    @classmethod
    def of(cls, sale: Sale) -> Self:
        """Return all of an order."""
        charged = {kind: Decimal() for kind in ("shipping", "fee", "discount")}
        for charge in sale.charges:
            charged[charge.kind] += charge.money
        articles = sum((article.price * count for article, count in sale.units.items()), Decimal())
        money = Decimal() if charged["discount"] else articles
        return cls(sale, dict(sale.units), money, charged["shipping"], charged["fee"])


@dataclass(slots=True)
class TakenBack:
    """Refund of a part of an order: units of articles and maybe the shipping, or an amount for other charges."""

    sale: Sale
    invoice: str
    units: dict[Article, int] = field(default_factory=dict)
    shipping: Decimal = Decimal()
    amount: Decimal = Decimal()
    kind: str = "articles"
    """Kind of charge that the amount is for."""

    @property
    def key(self) -> str:
        """Part of the idempotency key: an order gets one refund of each kind by an invoice."""
        return f"{self.invoice}/{self.sale.key}/{self.kind}"

    @property
    def money(self) -> dict[str, Decimal]:
        """Money by kind."""
        articles = sum((article.price * count for article, count in self.units.items()), Decimal())
        sums = {"articles": articles, "shipping": self.shipping}
        sums[self.kind] = sums.get(self.kind, Decimal()) + self.amount
        return {kind: money for kind, money in sums.items() if money}


@dataclass(slots=True)
class Customers:
    """Orders by customer, the last one first."""

    orders: dict[str, list[Bought]] = field(default_factory=lambda: defaultdict(list))

    def bought(self, sale: Sale) -> None:
        """Add an order."""
        self.orders[sale.customer].insert(0, Bought.of(sale))

    def match(self, credit: Credit) -> tuple[list[TakenBack], list[tuple[int, str]]]:
        """Return the refunds that a credit comes to, and its lines that match no order, with reasons."""
        refunds: dict[str, TakenBack] = {}
        refused = []
        for line in credit.lines:
            reason = self._match(line, refunds)
            if reason:
                refused.append((line.number, reason))
        return list(refunds.values()), refused

    def _match(self, line: Line, refunds: dict[str, TakenBack]) -> str:
        if not line.customer:
            return "a credit without a customer"
        if not line.money and line.kind != "articles":
            return "a credit of nothing"
        orders = self.orders[line.customer]
        if not orders:
            return "a credit for a customer without an earlier order in these files"
        if line.kind == "articles":
            return _match_units(line, orders, refunds)
        return _match_charge(line, orders, refunds)


def _match_units(line: Line, orders: list[Bought], refunds: dict[str, TakenBack]) -> str:
    """Take units from orders, the last one first. Returns the reason if there are too few."""
    plan: list[tuple[Bought, int]] = []
    wanted, price = line.units, line.article.price
    for order in orders:
        units = min(wanted, order.units.get(line.article, 0))
        if units and order.articles >= units * price:
            plan.append((order, units))
            wanted -= units
    if wanted:
        return _reason(line, orders)
    for order, units in plan:
        order.units[line.article] -= units
        order.articles -= units * price
        part = _part(refunds, order, line, "articles")
        part.units[line.article] = part.units.get(line.article, 0) + units
    return ""


def _reason(line: Line, orders: list[Bought]) -> str:
    if any(line.article in order.sale.units for order in orders):
        return "more than is left of what the customer bought in these files"
    codes = {article.code for order in orders for article in order.sale.units}
    if line.article.code in codes:
        return "an article that the customer bought at another price"
    return "an article that the customer did not buy in these files"


def _match_charge(line: Line, orders: list[Bought], refunds: dict[str, TakenBack]) -> str:
    """Take back the shipping of an order, or else an amount. Returns the reason if no order has as much left."""
    if line.kind == "shipping":
        for order in orders:
            if order.shipping == line.money:
                order.shipping = Decimal()
                _part(refunds, order, line, "articles").shipping = line.money
                return ""
        return "postage that no earlier order of the customer has"
    for order in orders:
        # An amount is taken from what the order is for in proportion: only of articles is it known beforehand.
        if order.articles >= line.money and not order.shipping and not order.fees:
            order.articles -= line.money
            _part(refunds, order, line, line.kind).amount += line.money
            return ""
    return f"a {line.kind} that exceeds what is left of the customer's orders of articles"


def _part(refunds: dict[str, TakenBack], order: Bought, line: Line, kind: str) -> TakenBack:
    """Return the refund of an order by a credit, to which a line is added."""
    part = TakenBack(order.sale, line.invoice, kind=kind)
    return refunds.setdefault(part.key, part)
