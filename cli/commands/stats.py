"""Commands about sales figures."""

import time
from typing import Annotated

import typer
from botocore.exceptions import BotoCoreError, ClientError

from cli.commands.options import DEFAULT_DATA, Data, TableName, fail, require_tenant
from cli.commands.running import running, use_server

_SECONDS = 24 * 3600.0


def rebuild(
    tenant: Annotated[str, typer.Option(help="Tenant whose figures are rebuilt.")] = "acme",
    table: TableName = None,
    data: Data = DEFAULT_DATA,
) -> None:
    """Count all orders anew, while trade goes on; then show the new figures and delete the old ones."""
    import boto3

    from cli.audit.sales import first_day
    from cli.progress import progress
    from domain.common.environment import now
    from domain.common.errors import DomainError
    from domain.identity.permissions import Caller
    from local.database import TABLE_NAME
    from repositories.dynamodb.session import Session
    from repositories.dynamodb.table import Meter, Table
    from repositories.stats.rebuilding import SETTLED_AFTER, Rebuilding

    require_tenant(tenant)
    if table is None:
        use_server(running(data))
    try:
        reached = Table(boto3.client("dynamodb"), table or TABLE_NAME, Meter())
        rebuilding = Rebuilding(Session(reached, Caller.system(tenant), now(), time.monotonic() + _SECONDS))
        generation = rebuilding.begin()
        print(f"Generation {generation} of the figures of {tenant} is begun.", flush=True)
        time.sleep(SETTLED_AFTER.total_seconds())
        with progress() as bar:
            task = bar.add_task("Counting orders", total=None)
            for _ in rebuilding.count():
                bar.advance(task)
        rebuilding.finish(generation)
        time.sleep(SETTLED_AFTER.total_seconds())
        since = first_day(reached, tenant)
        gone = sum(1 for older in range(1, generation) for _ in rebuilding.clean(older, since))
    except (DomainError, BotoCoreError, ClientError) as failure:
        fail(f"The figures are not rebuilt: {failure!r}. Run the command again, and it goes on.")
    print(f"Generation {generation} is shown. {gone} rows of those before are deleted.")
