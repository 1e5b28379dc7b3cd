"""Sales report on the terminal."""

from rich.table import Table

from cli.console import console
from cli.report.figures import NAMES, InCurrency, Report, Sales


def show(report: Report) -> None:
    """Print the tables of a report."""
    if not report.currencies:
        print("Nothing was sold.")
    for each in report.currencies:
        console.print(
            _table(f"{each.currency} by day, {report.first} to {report.last}", "day", _sold(each), each.total)
        )
        console.print(_table(f"{each.currency}, top items", "item", each.items, None))


def _sold(sales: InCurrency) -> list[Sales]:
    return [day for day in sales.days if day.orders or day.amounts["refunds"]]


def _table(title: str, first: str, rows: list[Sales], total: Sales | None) -> Table:
    table = Table(title=title, title_justify="left", show_footer=False)
    table.add_column(first)
    for name in ("orders", "units", *NAMES):
        table.add_column(name, justify="right")
    for row in rows:
        table.add_row(*_cells(row))
    if total:
        table.add_section()
        table.add_row(*_cells(total))
    return table


def _cells(row: Sales) -> list[str]:
    return [row.name, str(row.orders), str(row.units), *(f"{row.amounts[name]:,}" for name in NAMES)]
