"""Trading days read from a wholesaler's invoice lines: sales, and credits for what is cancelled, in order of time.

Columns are those of the UCI data set "Online Retail" (doi:10.24432/C5BW33): InvoiceNo (a credit if it begins with C),
StockCode, Description, Quantity, InvoiceDate, UnitPrice, CustomerID.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import batched
from pathlib import Path

from cli.api_client import rows_of
from domain.orders.checkout import MAX_ITEMS

CREDIT = "C"
KINDS = {
    "POST": "shipping",
    "DOT": "shipping",
    "C2": "shipping",
    "M": "fee",
    "BANK CHARGES": "fee",
    "D": "discount",
}
"""Stock codes that are no articles, and the kind of charge that each is."""
_COLUMNS = ("InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID")


@dataclass(frozen=True, slots=True)
class Article:
    """Stock code at a price: one code can have several prices."""

    code: str
    price: Decimal

    @property
    def sku(self) -> str:
        """SKU of the article's item."""
        return f"{self.code}@{self.price}"


@dataclass(frozen=True, slots=True)
class Charge:
    """Postage, fee or discount of an invoice."""

    kind: str
    label: str
    money: Decimal


@dataclass(frozen=True, slots=True)
class Line:
    """Valid line of a file; `units` is positive in credits too."""

    number: int
    invoice: str
    article: Article
    units: int
    customer: str

    @property
    def money(self) -> Decimal:
        """Line total."""
        return self.article.price * self.units

    @property
    def kind(self) -> str:
        """Kind of charge, or `articles`."""
        return KINDS.get(self.article.code, "articles")


@dataclass(slots=True)
class Sale:
    """Order to place: an invoice or a part of it."""

    invoice: str
    customer: str
    units: dict[Article, int]
    charges: list[Charge] = field(default_factory=list)
    note: str = ""

    @property
    def key(self) -> str:
        """Part of the idempotency key, the same in every replay of the day."""
        return self.note.replace(" ", "-")


@dataclass(frozen=True, slots=True)
class Credit:
    """Invoice that takes earlier sales back, with its lines."""

    invoice: str
    customer: str
    lines: list[Line]


@dataclass(slots=True)
class Day:
    """Trading day: sales and credits in order of time."""

    file: str
    """Name of the file without its ending."""
    date: str = ""
    """Time of the first line."""
    steps: list[Sale | Credit] = field(default_factory=list)
    names: dict[Article, str] = field(default_factory=dict)
    lines: int = 0
    refused: list[tuple[int, str]] = field(default_factory=list)
    """Refused lines: line number, reason."""
    sold: dict[Article, int] = field(default_factory=dict)
    """Units of all lines that are sales, by article."""
    charged: dict[str, Decimal] = field(default_factory=dict)
    """Money of all lines that are charges, by kind."""

    @property
    def name(self) -> str:
        """Date and file, in idempotency keys."""
        return f"{self.date[:10]}-{self.file}"

    @property
    def sales(self) -> list[Sale]:
        """Orders to place."""
        return [step for step in self.steps if isinstance(step, Sale)]


def read(files: Iterable[Path]) -> list[Day]:
    """Return the days in files, earliest first. Lines that are neither sales nor credits are recorded as refused.

    Raises LookupError if a column is missing.
    """
    return sorted((_read(file) for file in files), key=lambda day: day.date)


def _read(file: Path) -> Day:
    day = Day(file.stem)
    invoices: dict[str, list[Line]] = {}
    for line in _readable(file, day):
        invoices.setdefault(line.invoice, []).append(line)
    for invoice, lines in invoices.items():
        if invoice.startswith(CREDIT):
            day.steps.append(Credit(invoice, lines[0].customer, lines))
        else:
            day.steps += _sales(day, lines)
    return day


def _readable(file: Path, day: Day) -> Iterable[Line]:
    for number, row in rows_of(file, *_COLUMNS):
        day.lines += 1
        day.date = day.date or row["InvoiceDate"]
        invoice, units, price = row["InvoiceNo"], int(row["Quantity"]), Decimal(row["UnitPrice"])
        article = Article(row["StockCode"].strip(), price)
        if price < 0:
            day.refused.append((number, "a negative price"))
        elif (units < 0) != invoice.startswith(CREDIT):
            day.refused.append((number, "a correction of stock, not a sale"))
        else:
            day.names.setdefault(article, row["Description"].strip() or article.code)
            yield Line(number, invoice, article, abs(units), row["CustomerID"].partition(".")[0])


def _without_excess(day: Day, lines: list[Line], articles: list[Line]) -> list[Line]:
    """Return the lines without discounts that exceed the articles, which are refused."""
    left, kept = sum((line.money for line in articles), Decimal()), []
    for line in lines:
        if line.kind == "discount" and line not in articles:
            if line.money > left:
                day.refused.append((line.number, "a discount that exceeds its invoice"))
                continue
            left -= line.money
        kept.append(line)
    return kept


def _sales(day: Day, lines: list[Line]) -> list[Sale]:
    """Return the orders of an invoice, within the maximum of items; the first has the charges.

    All lines are articles if there are charges only, as an order has lines.
    """
    articles = [line for line in lines if line.kind == "articles"] or lines
    lines = _without_excess(day, lines, articles)
    charged = [line for line in lines if line not in articles]
    units: dict[Article, int] = defaultdict(int)
    for line in articles:
        units[line.article] += line.units
    for article, count in units.items():
        day.sold[article] = day.sold.get(article, 0) + count
    for line in charged:
        day.charged[line.kind] = day.charged.get(line.kind, Decimal()) + line.money
    invoice, customer = articles[0].invoice, articles[0].customer
    parts = [dict(part) for part in batched(units.items(), MAX_ITEMS, strict=False)]
    orders = [Sale(invoice, customer, part) for part in parts]
    orders[0].charges = [Charge(line.kind, day.names[line.article], line.money) for line in charged]
    for number, order in enumerate(orders, start=1):
        order.note = f"Invoice {invoice}" + (f", part {number} of {len(orders)}" if len(orders) > 1 else "")
    return orders
