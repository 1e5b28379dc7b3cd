"""Pages of reports: one HTML file each, with its style and charts."""

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from cli.report import charts
from cli.report.figures import NAMES, Report
from cli.statement import Statement

_TEMPLATES = Environment(
    loader=PackageLoader("cli.report", "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def sales_page(report: Report) -> str:
    """Return the page of a sales report."""
    drawn = {
        each.currency: [
            Markup(charts.by_day(each.days, each.currency)),  # noqa: S704 - made here, names are escaped by pygal
            Markup(charts.by_item(each.items, each.currency)),  # noqa: S704 - see above
        ]
        for each in report.currencies
    }
    return _render("sales.html", report=report, charts=drawn, names=NAMES)


def statement_page(statement: Statement, period: str) -> str:
    """Return the page of an account's statement."""
    return _render("statement.html", statement=statement, period=period)


def _render(template: str, **values: Any) -> str:
    return _TEMPLATES.get_template(template).render(**values)
