"""Commands that call functions, locally and as they are deployed."""

import json
import signal
import sys
from contextlib import redirect_stdout, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from rich.console import Console

from cli.commands.options import stderr


def invoke(
    function: Annotated[str, typer.Argument(help="The function's name, such as CreateItem.")],
    event: Annotated[Path, typer.Argument(help="A file with the event.", exists=True, dir_okay=False)],
    data: Annotated[
        Path | None, typer.Option(help="Use this folder's data; without it, a fresh database with samples.")
    ] = None,
) -> None:
    """Call one function with an event and print its response."""
    from local.database import database
    from local.invocation import invoke as call
    from local.samples import add_samples
    from local.server import settings_for
    from local.user_pool import user_pool

    with database(data), user_pool():
        settings_for(data)
        if data is None:
            add_samples()
        try:
            with redirect_stdout(sys.stderr):
                response = call(function, json.loads(event.read_text()))
        except LookupError as unknown:
            stderr.print(str(unknown.args[0]))
            raise typer.Exit(2) from None
    print(json.dumps(response, indent=2, ensure_ascii=False))


def rehearse() -> None:
    """Call every function of the built zip with its event under AWS's own runtime, on a fresh database with samples."""
    from rich.table import Table

    from infra.rehearsal.functions import rehearse as run
    from infra.rehearsal.lambda_emulator import emulator
    from local.database import CACHE, database
    from local.samples import add_samples
    from local.server import settings_for
    from local.user_pool import user_pool

    tools = emulator(CACHE)
    table = Table("function", "answer", "init, ms", "log lines")
    failed = 0
    with database(None), user_pool():
        settings_for(None)
        add_samples()
        for each in run(tools):
            response = each.invocation.response
            shown = response.get("statusCode", "") if isinstance(response, dict) else response
            failed += not each.passed
            mark = "" if each.passed else "[bold red] failed"
            table.add_row(
                each.function.name, f"{shown}{mark}", f"{each.invocation.init_ms:.0f}", str(len(each.invocation.lines))
            )
    Console().print(table)
    print(f"All run one zip of {tools.archive.stat().st_size / 1e6:.1f} MB.")
    if failed:
        raise typer.Exit(1)


def deploy_local(
    stay: Annotated[bool, typer.Option("--stay", help="Keep it running until Ctrl-C.")] = False,
) -> None:
    """Deploy the app into a local AWS with the CDK CLI, and take a tour of it over HTTP."""
    from infra.rehearsal.deployment import deploy
    from infra.rehearsal.ministack import ministack
    from infra.rehearsal.smoke_test import Tour

    failed = 0
    try:
        with TemporaryDirectory(prefix="tradepost-") as folder, ministack(Path(folder)) as endpoint:
            deployment = deploy(endpoint, Path(folder))
            for stop in Tour(deployment).stops():
                failed += not stop.passed
                told = "ok" if stop.passed else f"FAILED, not {stop.expected}: {stop.body}"
                print(f"{stop.status} {stop.name}: {told}")
            if stay:
                print(f"The API: {deployment.url} (Ctrl-C ends it)", flush=True)
                with suppress(KeyboardInterrupt):
                    signal.pause()
    except LookupError as failure:
        stderr.print(str(failure.args[0]), highlight=False, markup=False)
        raise typer.Exit(1) from None
    if failed:
        raise typer.Exit(1)


def openapi(
    output: Annotated[Path, typer.Option(help="Where to write it.")] = Path("docs/openapi.json"),
) -> None:
    """Write the OpenAPI document that the handlers make."""
    from handlers.openapi import document_json

    output.write_text(document_json())


def event(
    route: Annotated[str, typer.Argument(help="Path of the handler below handlers/, such as items/get_item.")],
    body: Annotated[str | None, typer.Option(help="The body, as JSON.")] = None,
) -> None:
    """Write the sample event of a route to events/."""
    from cli.sample_event import named, sample_event

    try:
        function = named(route)
        made = sample_event(function, json.loads(body) if body else None)
    except (LookupError, ValueError) as failure:
        stderr.print(str(failure.args[0]), highlight=False, markup=False)
        raise typer.Exit(2) from None
    function.event.parent.mkdir(exist_ok=True)
    function.event.write_text(json.dumps(made, indent=2, ensure_ascii=False) + "\n")
    print(function.event)
