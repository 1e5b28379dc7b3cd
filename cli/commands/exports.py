"""Commands that export data: of a tenant through a running API, and of the whole table to S3."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from cli.commands.options import DEFAULT_DATA, Data, Url, fail, require_tenant
from cli.commands.running import api_of
from cli.console import stderr
from domain.exports import Dataset, ExportFormat

_MOMENT = ["%Y-%m-%dT%H:%M:%S"]


def export(
    dataset: Annotated[Dataset, typer.Argument(help="What to export.")],
    output: Annotated[Path, typer.Option(help="File to write.", dir_okay=False, writable=True)],
    start: Annotated[str | None, typer.Option("--from", help="First day or time (UTC). Default: all.")] = None,
    end: Annotated[str | None, typer.Option("--to", help="Day or time of the end. Default: now.")] = None,
    status: Annotated[str | None, typer.Option(help="Only what has this status.")] = None,
    form: Annotated[ExportFormat, typer.Option("--format", help="Format of the file.")] = ExportFormat.CSV,
    tenant: Annotated[str, typer.Option(help="Tenant whose data to export.")] = "acme",
    url: Url = None,
    data: Data = DEFAULT_DATA,
) -> None:
    """Export data into a file, and wait for it: 30 seconds at least if the time range ends now."""
    from cli.api_client import FAILURES, Client, failed
    from cli.exporting import begun, downloaded, progressing
    from cli.progress import progress

    require_tenant(tenant)
    wanted = {"dataset": dataset.value, "format": form.value, "from": start, "to": end, "status": status}
    with api_of(tenant, url, data) as (base, bearer), Client(base, bearer) as client, progress() as bar:
        try:
            made = begun(client, {name: value for name, value in wanted.items() if value})
            task, done = bar.add_task(f"Parts of {dataset.value}", total=1), 0
            for shown in progressing(client, made["id"]):
                parts = shown["progress"]
                bar.update(task, total=parts["parts"])
                for _ in range(parts["parts_done"] - done):
                    bar.advance(task)
                done = parts["parts_done"]
            downloaded(shown["files"], form.value, output)
        except FAILURES as failure:
            fail(failed(failure, base))
    print(f"{shown['progress']['rows']:,} rows of {dataset.value} are in {output}.")


def export_table(
    stack: Annotated[str, typer.Option(help="Name of the stack.")] = "Tradepost-prod",
    at: Annotated[
        datetime | None, typer.Option(help="Moment of the last 35 days (UTC). Default: now.", formats=_MOMENT)
    ] = None,
    bucket: Annotated[str | None, typer.Option(help="Bucket. Default: the lake's, of a stack with -c lake=on.")] = None,
) -> None:
    """Export the whole table, with all tenants, to S3 in the AWS account set in the environment, and wait for it."""
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    from cli.stacks import outputs_of
    from cli.table_export import begin, wait

    try:
        outputs = outputs_of(boto3.client("cloudformation"), stack)
        where = bucket or outputs.get("LakeBucket")
        if where is None:
            fail(f"{stack} has no lake. Deploy it with -c lake=on, or name a bucket with --bucket.")
        dynamodb = boto3.client("dynamodb")
        begun = begin(dynamodb, outputs["TableName"], where, at.replace(tzinfo=UTC) if at else None)
        stderr.print(f"Export {begun.id} takes some minutes.", highlight=False)
        rows = wait(dynamodb, begun)
    except LookupError as failure:
        fail(str(failure.args[0]))
    except (BotoCoreError, ClientError) as failure:
        fail(f"The table cannot be exported: {failure}")
    print(f"{rows:,} rows are in s3://{where}/{begun.folder}.")
    print(f"In Athena, its export_id is {begun.id}: see docs/analysis.md.")
