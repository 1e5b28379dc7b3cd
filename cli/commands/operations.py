"""Commands for operators: audits, account statements, redrive of failed calls."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from botocore.exceptions import BotoCoreError, ClientError

from cli.commands.options import DEFAULT_DATA, Data, TableName, Url, fail, require_tenant
from cli.commands.running import api_of, running, use_server

_FIRST_YEAR, _LAST_YEAR = 1900, 2999


def audit(
    tenant: Annotated[str, typer.Option(help="Tenant to audit.")] = "acme",
    table: TableName = None,
    rate: Annotated[float, typer.Option(help="Maximum read units per second.", min=1)] = 500,
    data: Data = DEFAULT_DATA,
) -> None:
    """Check that books, orders and stock agree; print the first inconsistency. An interrupted audit resumes."""
    import boto3

    from cli.audit import Audit, BrokenError
    from cli.progress import progress
    from domain.common.errors import Unavailable
    from local.database import TABLE_NAME
    from repositories.dynamodb.table import Meter, Table

    require_tenant(tenant)
    if table is None:
        use_server(running(data))
    try:
        client = boto3.client("dynamodb")
    except BotoCoreError as failure:
        fail(str(failure))
    reading = Table(client, table or TABLE_NAME, Meter())
    data.mkdir(parents=True, exist_ok=True)
    state = data / f"audit-{tenant}.json"
    resumed = state.exists()
    with progress() as bar:
        try:
            audit = Audit(reading, tenant, state, rate, bar)
            checked = audit.run()
        except BrokenError as broken:
            state.unlink(missing_ok=True)
            fail(f"Broken: {broken}")
        except (Unavailable, BotoCoreError, ClientError) as failure:
            fail(f"The table cannot be read: {failure}")
    if not any(checked.values()) and not resumed:
        fail(f"There is nothing of tenant {tenant} in the table.")
    counts = ", ".join(f"{phase}: {count:,}" for phase, count in checked.items())
    print(f"Checked {counts or 'nothing'}. All agree.")
    if audit.unsettled:
        print(
            f"Not compared with orders, as trade changed it in each round: the stock of {', '.join(audit.unsettled)}."
        )
    print("Postings of the last half minute are for the next audit.")


def statement(
    account: Annotated[str, typer.Option(help="Id or code of the account.")],
    first: Annotated[datetime, typer.Option("--from", help="First day (UTC).", formats=["%Y-%m-%d"])],
    last: Annotated[datetime, typer.Option("--to", help="Last day (UTC), included.", formats=["%Y-%m-%d"])],
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV instead of a table.")] = False,
    html: Annotated[Path | None, typer.Option(help="File for a page instead of a table.", dir_okay=False)] = None,
    tenant: Annotated[str, typer.Option(help="Tenant of the account.")] = "acme",
    url: Url = None,
    data: Data = DEFAULT_DATA,
) -> None:
    """Print an account's statement."""
    from cli import statement as printing

    if first > last:
        fail("The first day (--from) is after the last (--to).", 2)
    if last.year > _LAST_YEAR or first.year < _FIRST_YEAR:
        fail(f"Days are from the years {_FIRST_YEAR} to {_LAST_YEAR}.", 2)
    with api_of(tenant, url, data) as (base, bearer):
        shown = printing.read(base, bearer, account, first.date(), last.date())
    period = f"{first.date()} to {last.date()}"
    if html:
        from cli.report.page import statement_page

        html.write_text(statement_page(shown, period))
        print(f"The page is {html}.")
    else:
        printing.show(shown, period, as_csv=as_csv)


def redrive(
    queue: Annotated[str, typer.Argument(help="Name of the queue: the stack's output FailedCallsQueue.")],
) -> None:
    """Repeat the failed calls in the dead-letter queue, in the AWS account set in the environment."""
    import boto3

    from cli.redrive import redrive as run

    left = done = 0
    try:
        for each in run(boto3.client("sqs"), boto3.client("lambda"), queue):
            done += not each.error
            left += bool(each.error)
            result = f"failed again: {each.error}" if each.error else "done"
            print(f"{each.call.function.rpartition(':function:')[2]} ({each.call.reason}): {result}")
    except (BotoCoreError, ClientError) as failure:
        fail(f"The queue cannot be read: {failure}")
    print(f"{done} done, {left} left in the queue.")
    if left:
        raise typer.Exit(1)
