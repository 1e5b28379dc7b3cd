"""Report of a replay."""

from rich.table import Table

from cli.api_client import Spent
from cli.console import console, print_refused
from cli.replay.invoices import Day
from cli.replay.tally import UNITS, Tally


def report(days: list[Day], tally: Tally, spent: Spent, currency: str) -> None:
    """Print the sums of a replay and what was refused."""
    _print_sums(tally, currency)
    facts = Table("", "count", title="How it went")
    invoices = {sale.invoice for day in days for sale in day.sales}
    for name, shown in (
        ("lines", f"{sum(day.lines for day in days):,}"),
        ("invoices", f"{len(invoices):,}"),
        ("orders (one an invoice, more if it has over 90 items)", f"{tally.orders:,}"),
        ("refunds of parts of orders", f"{tally.refunds:,}"),
        ("lines refused", f"{sum(len(day.refused) for day in days):,}"),
        ("commands refused", f"{tally.refused.total():,}"),
        ("articles that differ", f"{len(tally.articles_that_differ):,}"),
        ("items with other stock", f"{len(tally.stock_that_differs):,}"),
        ("orders a second, placed, paid and shipped", f"{tally.orders / max(tally.seconds, 1e-9):,.0f}"),
        ("calls to the API", f"{spent.calls:,}"),
        ("requests to the table", f"{spent.db_requests:,}"),
        ("read units", f"{spent.reads:,.1f}"),
        ("write units", f"{spent.writes:,.0f}"),
    ):
        facts.add_row(name, shown)
    console.print(facts)
    for day in days:
        if day.refused:
            console.print(f"{day.file}:", highlight=False, markup=False)
            print_refused(day.refused)
    for why, count in tally.refused.most_common():
        console.print(f"{count} refused: {why}", highlight=False, markup=False)
    for what, skus in (("article", tally.articles_that_differ), ("stock", tally.stock_that_differs)):
        for sku in skus:
            console.print(f"{what} differs: {sku}", highlight=False, markup=False)


def _print_sums(tally: Tally, currency: str) -> None:
    sums = Table("day", "", "file", "API", "", title="Sales and refunds")
    for day, what, wanted, got, agrees in tally.rows():
        if what in UNITS:
            sums.add_row(day[:10], what, f"{wanted:,}", f"{got:,}", _verdict(agrees=agrees))
        else:
            sums.add_row(day[:10], f"{what}, {currency}", f"{wanted:,.2f}", f"{got:,.2f}", _verdict(agrees=agrees))
    console.print(sums)
    books = Table("day", "account", "file", "ledger", "", title="Postings, credits positive")
    for day, account, wanted, got, agrees in tally.posted_rows():
        books.add_row(day[:10], f"shop.{account}.{currency}", f"{wanted:,.2f}", f"{got:,.2f}", _verdict(agrees=agrees))
    console.print(books)


def _verdict(*, agrees: bool) -> str:
    return "agrees" if agrees else "[bold red]differs"
