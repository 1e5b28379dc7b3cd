"""Command that exports data through a running API."""

from pathlib import Path
from typing import Annotated

import typer

from cli.commands.options import DEFAULT_DATA, Data, Url, fail, require_tenant
from cli.commands.running import api_of
from domain.exports import Dataset, ExportFormat


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
