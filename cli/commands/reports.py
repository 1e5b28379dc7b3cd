"""Commands that report to people."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from cli.commands.options import DEFAULT_DATA, Data, Url, fail, require_tenant
from cli.commands.running import api_of

_DAY = ["%Y-%m-%d"]
_MAX_DAYS = 366


def sales(
    first: Annotated[datetime, typer.Option("--from", help="First day (UTC).", formats=_DAY)],
    last: Annotated[
        datetime | None, typer.Option("--to", help="Last day (UTC), included. Default: today.", formats=_DAY)
    ] = None,
    html: Annotated[
        Path | None, typer.Option(help="File for a page with charts and the trial balance.", dir_okay=False)
    ] = None,
    tenant: Annotated[str, typer.Option(help="Tenant whose sales to report.")] = "acme",
    url: Url = None,
    data: Data = DEFAULT_DATA,
) -> None:
    """Print sales by day and the top items, with refunds; as a page also charts and the trial balance."""
    from cli.api_client import Client
    from cli.report import figures, page, table

    require_tenant(tenant)
    begin, end = first.date(), last.date() if last else datetime.now(UTC).date()
    if begin > end:
        fail("The first day (--from) is after the last (--to).", 2)
    if (end - begin).days >= _MAX_DAYS:
        fail(f"A report has {_MAX_DAYS} days at most.", 2)
    with api_of(tenant, url, data) as (base, bearer), Client(base, bearer) as api:
        report = figures.read(api, tenant, begin, end)
    table.show(report)
    if html:
        html.write_text(page.sales_page(report))
        print(f"The page is {html}.")
