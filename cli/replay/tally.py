"""Sums of a replay: of the files, of the API's answers and of the ledger, by day and kind, and by article."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from cli.replay.credits import TakenBack
from cli.replay.invoices import Article, Day

type Key = tuple[str, str]
"""A day and what is summed up."""

UNITS = ("units sold", "units returned")
"""Sums that the ledger does not have."""
_ACCOUNTS = {
    "articles": "sales",
    "shipping": "shipping",
    "fee": "fees",
    "discount": "sales",
    "articles refunded": "sales",
    "shipping refunded": "shipping",
    "fee refunded": "sales",
    "discount refunded": "sales",
}
"""Account that each kind is posted to. Fees and discounts are refunded as amounts, of orders of articles only."""


@dataclass(slots=True)
class Sums:
    """Money and units by day and kind, from one source."""

    by_day: dict[Key, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    by_article: dict[Article, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))
    """Units sold and units returned."""

    def add(self, day: str, what: str, amount: Decimal | int) -> None:
        """Add to a sum."""
        self.by_day[day, what] += amount

    def sold(self, day: str, article: Article, units: int) -> None:
        """Add units that were sold."""
        self.by_article[article][0] += units
        self.add(day, UNITS[0], units)

    def returned(self, day: str, article: Article, units: int) -> None:
        """Add units that came back."""
        self.by_article[article][1] += units
        self.add(day, UNITS[1], units)


@dataclass(slots=True)
class Tally:
    """All sums of a replay, and what was refused."""

    file: Sums = field(default_factory=Sums)
    api: Sums = field(default_factory=Sums)
    posted: dict[Key, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    """Money by day and account, credits positive."""
    orders: int = 0
    refunds: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    """Refused commands by reason."""
    seconds: float = 0
    stock_that_differs: list[str] = field(default_factory=list)

    def count_file(self, day: Day) -> None:
        """Add the sales of a file."""
        for article, units in day.sold.items():
            self.file.sold(day.date, article, units)
            self.file.add(day.date, "articles", article.price * units)
        for kind, money in day.charged.items():
            self.file.add(day.date, kind, money)

    def count_credit(self, day: Day, part: TakenBack) -> None:
        """Add what a credit of a file takes back."""
        for article, units in part.units.items():
            self.file.returned(day.date, article, units)
        for kind, money in part.money.items():
            self.file.add(day.date, f"{kind} refunded", money)

    def count_order(self, day: Day, order: dict[str, Any], articles: dict[str, Article]) -> None:
        """Add an order that was paid."""
        self.orders += 1
        for line in order["lines"]:
            self.api.sold(day.date, articles[line["item_id"]], line["quantity"])
        self.api.add(day.date, "articles", Decimal(order["subtotal"]["amount"]))
        for charge in order["charges"]:
            self.api.add(day.date, charge["kind"], Decimal(charge["amount"]["amount"]))

    def count_refund(self, day: Day, part: TakenBack, refund: dict[str, Any], articles: dict[str, Article]) -> None:
        """Add a refund that was made. What its amount is for beyond its shipping is of the kind of its credit."""
        self.refunds += 1
        for line in refund["lines"]:
            self.api.returned(day.date, articles[line["item_id"]], line["quantity"])
        shipping = part.shipping if refund["shipping"] else Decimal()
        if shipping:
            self.api.add(day.date, "shipping refunded", shipping)
        rest = Decimal(refund["amount"]["amount"]) - shipping
        if rest:
            self.api.add(day.date, f"{part.kind} refunded", rest)

    def expected_postings(self) -> dict[Key, Decimal]:
        """Return what the ledger should have by day and account, according to the files."""
        due: dict[Key, Decimal] = defaultdict(Decimal)
        for (day, what), money in self.file.by_day.items():
            if what in UNITS:
                continue
            sign = -1 if what == "discount" or what.endswith(" refunded") else 1
            due[day, _ACCOUNTS[what]] += sign * money
            due[day, "cash"] -= sign * money
        return due

    def rows(self) -> Iterator[tuple[str, str, Decimal, Decimal, bool]]:
        """Yield day, what is summed up, the sums of file and API, and whether they agree."""
        for day, what in sorted(self.file.by_day.keys() | self.api.by_day.keys()):
            wanted, got = self.file.by_day.get((day, what), Decimal()), self.api.by_day.get((day, what), Decimal())
            yield day, what, wanted, got, wanted == got

    def posted_rows(self) -> Iterator[tuple[str, str, Decimal, Decimal, bool]]:
        """Yield day, account, the sums of file and ledger, and whether they agree."""
        due = self.expected_postings()
        for day, account in sorted(due.keys() | self.posted.keys()):
            wanted, got = due.get((day, account), Decimal()), self.posted.get((day, account), Decimal())
            if wanted or got:
                yield day, account, wanted, got, wanted == got

    @property
    def articles_that_differ(self) -> list[str]:
        """SKUs of articles with other units sold or returned in the API than in the files."""
        known = self.file.by_article.keys() | self.api.by_article.keys()
        return sorted(
            article.sku for article in known if self.file.by_article.get(article) != self.api.by_article.get(article)
        )

    @property
    def agrees(self) -> bool:
        """Whether files, API, ledger and stock agree, and no command was refused."""
        every = [agrees for *_, agrees in (*self.rows(), *self.posted_rows())]
        return all(every) and not (self.refused or self.stock_that_differs or self.articles_that_differ)
