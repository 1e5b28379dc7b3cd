"""Command that restores the table of a deployed stack to an earlier moment."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from botocore.exceptions import BotoCoreError, ClientError

from cli.commands.options import DEFAULT_DATA, Data, fail, require_tenant
from cli.console import stderr

if TYPE_CHECKING:
    from cli.restore import Restore

_DRAIN_SECONDS = 25
"""Seconds after which a function that was running has ended; its timeout is 20."""


def restore(
    at: Annotated[datetime, typer.Option(help="Moment to restore (UTC).", formats=["%Y-%m-%dT%H:%M:%S"])],
    stack: Annotated[str, typer.Option(help="Name of the stack.")] = "Tradepost-prod",
    tenant: Annotated[list[str] | None, typer.Option(help="Tenant to audit before and after. Repeatable.")] = None,
    rate: Annotated[float, typer.Option(help="Maximum read units per second of an audit.", min=1)] = 500,
    replace: Annotated[bool, typer.Option("--replace", help="Replace the present table. Stops the API.")] = False,
    abort: Annotated[
        bool, typer.Option("--abort", help="Start all again and forget the restore, if nothing is deleted yet.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before the table is replaced.")] = False,
    data: Data = DEFAULT_DATA,
) -> None:
    """Restore the table to an earlier moment: next to the present table, and with --replace in its place.

    Interrupted, it goes on where it stopped when it is called again.
    """
    import boto3

    from cli.audit import BrokenError
    from cli.restore import Restore
    from cli.restore.stack import Stack
    from cli.restore.tables import Tables
    from domain.common.errors import Unavailable

    for each in tenant or ():
        require_tenant(each)
    data.mkdir(parents=True, exist_ok=True)
    try:
        dynamodb = boto3.client("dynamodb")
        deployed = Stack(
            stack,
            boto3.client("cloudformation"),
            boto3.client("lambda"),
            boto3.client("scheduler"),
            drain=lambda: time.sleep(_DRAIN_SECONDS),
        )
        run = Restore(
            deployed,
            Tables(dynamodb),
            at.replace(tzinfo=UTC),
            data / f"restore-{stack}.json",
            audit=lambda table: _audit(dynamodb, table, tenant or [], rate, data),
            say=lambda sentence: stderr.print(f"{sentence} …", highlight=False, markup=False),
        )
        print(_abort(run) if abort else _restore(run, replace=replace, yes=yes))
    except BrokenError as broken:
        fail(f"Broken: {broken} The restore goes on with this command once you have decided what to do.")
    except LookupError as missing:
        fail(str(missing.args[0]))
    except (Unavailable, BotoCoreError, ClientError) as failure:
        fail(f"AWS refused: {failure}. The same command goes on where this one stopped.")


def _abort(run: "Restore") -> str:
    return f"Everything runs as before. {run.abort().copy} and backups, if there are any, are left."


def _restore(run: "Restore", *, replace: bool, yes: bool) -> str:
    """Restore next to the present table or in its place, and return what to say."""
    plan = run.rehearse()
    if not replace:
        if plan.stopped:
            fail("A replacement is under way and functions are stopped: go on with --replace, or --abort it.")
        return f"{plan.copy} is as {plan.table} was at {plan.at}. Look at it, then add --replace, or delete it."
    if not yes:
        typer.confirm(f"Stop the API and replace {plan.table} by its state of {plan.at}?", abort=True)
    run.replace(plan)
    backups = ", ".join(plan.backups.values())
    return f"{plan.table} is as it was at {plan.at}. Delete what you need no more: {plan.copy}; backups {backups}."


def _audit(client: Any, table: str, tenants: list[str], rate: float, data: Path) -> None:
    from cli.audit import Audit
    from cli.progress import progress
    from repositories.dynamodb.table import Meter, Table

    for tenant in tenants:
        state = data / f"audit-{table}-{tenant}.json"
        with progress() as bar:
            checked = Audit(Table(client, table, Meter()), tenant, state, rate, bar).run()
        counts = ", ".join(f"{phase}: {count:,}" for phase, count in checked.items())
        print(f"{table}, {tenant}: checked {counts or 'nothing'}. All agree.")
