"""Trading day read from a wholesaler's invoice lines: the sales and cancellations, in order of time.

Columns are those of the UCI data set "Online Retail" (doi:10.24432/C5BW33): InvoiceNo (a cancellation if it begins with
C), StockCode, Description, Quantity, InvoiceDate, UnitPrice, CustomerID.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import batched
from pathlib import Path

from cli.api_client import rows_of
from domain.checkout import MAX_ITEMS

CANCELLATION = "C"
CHARGES = {"POST": "shipping", "DOT": "shipping", "C2": "shipping", "M": "fee", "BANK CHARGES": "fee"}
"""Stock codes that are no articles, and the kind of charge that each is."""
_COLUMNS = ("InvoiceNo", "StockCode", "Description", "Quantity", "UnitPrice", "CustomerID")


@dataclass(frozen=True, slots=True)
class Article:
    """Stock code at a price: one code can have several prices in a day."""

    code: str
    price: Decimal

    @property
    def sku(self) -> str:
        """SKU of the article's item."""
        return f"{self.code}@{self.price}"


@dataclass(frozen=True, slots=True)
class Charge:
    """Postage or fee of an invoice."""

    kind: str
    label: str
    money: Decimal


@dataclass(slots=True)
class Sale:
    """Order to place: an invoice or a part of it. `cancelled_by` is the invoice that cancels it."""

    invoice: str
    customer: str
    units: dict[Article, int]
    cancelled_by: str = ""
    note: str = ""
    charges: list[Charge] = field(default_factory=list)

    @property
    def key(self) -> str:
        """Part of the idempotency key, the same in every replay of the day."""
        return f"{self.note}/{self.cancelled_by}".replace(" ", "-")


@dataclass(frozen=True, slots=True)
class Line:
    """Valid line of the file."""

    number: int
    invoice: str
    article: Article
    units: int
    customer: str

    @property
    def money(self) -> Decimal:
        """Line total."""
        return self.article.price * self.units


@dataclass(slots=True)
class Day:
    """Trading day. `steps` are sales, and numbers of invoices that cancel sales, in order of time."""

    steps: list[Sale | str] = field(default_factory=list)
    names: dict[Article, str] = field(default_factory=dict)
    lines: int = 0
    refused: list[tuple[int, str]] = field(default_factory=list)
    """Refused lines: line number, reason."""
    sold: tuple[int, Decimal] = (0, Decimal())
    """Units and money of all lines that are sales of articles."""
    charged: dict[str, Decimal] = field(default_factory=dict)
    """Money of all lines that are charges, by kind."""
    returned: tuple[int, Decimal] = (0, Decimal())
    """Units and money of all lines that cancel a sale of the file."""

    @property
    def sales(self) -> list[Sale]:
        """Orders to place."""
        return [step for step in self.steps if isinstance(step, Sale)]

    @property
    def demand(self) -> dict[Article, int]:
        """Units of each article that the day sells."""
        units: dict[Article, int] = defaultdict(int)
        for sale in self.sales:
            for article, count in sale.units.items():
                units[article] += count
        return units


def read(file: Path) -> Day:
    """Return the day in a file. Lines that are neither sales nor cancellations of sales are recorded as refused."""
    day = Day()
    invoices: dict[str, list[Line]] = {}
    for line in _readable(file, day):
        invoices.setdefault(line.invoice, []).append(line)
    sold: dict[str, Sale] = {}
    taken_back: dict[str, list[Sale]] = {}
    for invoice, lines in invoices.items():
        if invoice.startswith(CANCELLATION):
            taken_back[invoice] = _taken_back(day, lines, sold)
        else:
            sold[invoice], articles = _sale(lines, day.names)
            day.sold = _plus(day.sold, articles)
            for charge in sold[invoice].charges:
                day.charged[charge.kind] = day.charged.get(charge.kind, Decimal()) + charge.money
    for invoice in invoices:
        if invoice in sold:
            parts = [sold[invoice], *(part for all_ in taken_back.values() for part in all_ if part.invoice == invoice)]
            day.steps += _split(parts)
        elif taken_back[invoice]:
            day.steps.append(invoice)
    return day


def _readable(file: Path, day: Day) -> Iterable[Line]:
    for number, row in rows_of(file, *_COLUMNS):
        day.lines += 1
        invoice, units, price = row["InvoiceNo"], int(row["Quantity"]), Decimal(row["UnitPrice"])
        article = Article(row["StockCode"].strip(), price)
        if price < 0:
            day.refused.append((number, "a negative price"))
        elif (units < 0) != invoice.startswith(CANCELLATION):
            day.refused.append((number, "a correction of stock, not a sale"))
        else:
            day.names.setdefault(article, row["Description"].strip() or article.code)
            yield Line(number, invoice, article, abs(units), row["CustomerID"].partition(".")[0])


def _sale(lines: list[Line], names: dict[Article, str]) -> tuple[Sale, list[Line]]:
    """Return the sale of an invoice, and its lines that are articles; all are, if there are charges only."""
    articles = [line for line in lines if line.article.code not in CHARGES] or lines
    charges = [
        Charge(CHARGES[line.article.code], names[line.article], line.money) for line in lines if line not in articles
    ]
    units: dict[Article, int] = defaultdict(int)
    for line in articles:
        units[line.article] += line.units
    return Sale(lines[0].invoice, lines[0].customer, units, charges=charges), articles


def _taken_back(day: Day, lines: list[Line], sold: dict[str, Sale]) -> list[Sale]:
    """Move the units that an invoice cancels to separate sales, so that they can be refunded separately."""
    parts: dict[str, Sale] = {}
    for line in lines:
        original = next((sale for sale in reversed(sold.values()) if _covers(sale, line)), None)
        if original is None:
            day.refused.append((line.number, f"{line.invoice} cancels what was not sold on the day"))
            continue
        part = parts.setdefault(original.invoice, Sale(original.invoice, original.customer, {}, line.invoice))
        part.units[line.article] = part.units.get(line.article, 0) + line.units
        original.units[line.article] -= line.units
        if not original.units[line.article]:
            del original.units[line.article]
        day.returned = _plus(day.returned, [line])
    return list(parts.values())


def _covers(sale: Sale, line: Line) -> bool:
    return bool(line.customer) and sale.customer == line.customer and sale.units.get(line.article, 0) >= line.units


def _split(parts: Sequence[Sale]) -> list[Sale]:
    """Split the sales of an invoice into orders within the maximum of items, with the invoice and part in their notes.

    The first has the invoice's charges.
    """
    charges = [charge for part in parts for charge in part.charges]
    orders = [
        Sale(part.invoice, part.customer, dict(units), part.cancelled_by)
        for part in parts
        for units in batched(part.units.items(), MAX_ITEMS, strict=False)
    ]
    for number, order in enumerate(orders, start=1):
        order.charges = charges if number == 1 else []
        order.note = f"Invoice {order.invoice}" + (f", part {number} of {len(orders)}" if len(orders) > 1 else "")
    return orders


def _plus(so_far: tuple[int, Decimal], lines: Iterable[Line]) -> tuple[int, Decimal]:
    units, money = so_far
    for line in lines:
        units, money = units + line.units, money + line.money
    return units, money
