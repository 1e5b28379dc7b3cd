"""Commands that run functions locally and write their sample events and OpenAPI document."""

import json
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, redirect_stdout, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from rich.console import Console

from cli.commands.options import fail
from cli.commands.running import find_running, use_server


def invoke(
    function: Annotated[str, typer.Argument(help="Name of the function, such as CreateItem.")],
    event: Annotated[Path, typer.Argument(help="JSON file with the event.", exists=True, dir_okay=False)],
    data: Annotated[
        Path | None, typer.Option(help="Folder with the data to use. Default: a new database with sample data.")
    ] = None,
) -> None:
    """Call one function with an event and print its response."""
    from local.http.server import settings_for
    from local.invocation import invoke as call
    from local.samples.data import add_samples, signed_now

    try:
        called_with = json.loads(event.read_text())
    except ValueError as error:
        fail(f"{event} has no JSON: {error}.", 2)
    if not isinstance(called_with, dict):
        fail(f"{event} has no event: an event is a JSON object.", 2)
    server = find_running(data) if data else None
    if server:
        use_server(server)
    with nullcontext() if server else _started(data):
        settings_for(data)
        if data is None:
            add_samples()
            called_with = signed_now(called_with)
        try:
            with redirect_stdout(sys.stderr):
                response = call(function, called_with)
        except LookupError as unknown:
            fail(str(unknown.args[0]), 2)
    print(json.dumps(response, indent=2, ensure_ascii=False))


@contextmanager
def _started(data: Path | None) -> Iterator[None]:
    """Run a database and a user pool on a data folder (None: in memory)."""
    from local.services import services

    with services(data):
        yield


def rehearse() -> None:
    """Run every function of the built zip with its sample event under AWS's Lambda runtime, on sample data."""
    from rich.table import Table

    from infra.rehearsal.functions import rehearse as run
    from infra.rehearsal.lambda_emulator import emulator
    from local.database import CACHE
    from local.http.server import settings_for
    from local.samples.data import add_samples
    from local.services import services

    tools = emulator(CACHE)
    table = Table("function", "answer", "init, ms", "log lines")
    failed = 0
    with services():
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
    stay: Annotated[bool, typer.Option("--stay", help="Keep the local AWS running until Ctrl-C.")] = False,
) -> None:
    """Deploy the app into a local AWS with the CDK CLI and run a smoke test over HTTP."""
    from infra.rehearsal.deployment import deploy
    from infra.rehearsal.ministack import ministack
    from infra.rehearsal.smoke_test import SmokeTest

    failed = 0
    try:
        with TemporaryDirectory(prefix="tradepost-") as folder, ministack(Path(folder)) as endpoint:
            deployment = deploy(endpoint, Path(folder))
            for check in SmokeTest(deployment).checks():
                failed += not check.passed
                result = "ok" if check.passed else f"FAILED, expected {check.expected}: {check.body}"
                print(f"{check.status} {check.name}: {result}")
            if stay:
                print(f"The API: {deployment.url} (Ctrl-C ends it)", flush=True)
                with suppress(KeyboardInterrupt):
                    signal.pause()
    except LookupError as failure:
        fail(str(failure.args[0]))
    if failed:
        raise typer.Exit(1)


def openapi(
    output: Annotated[Path, typer.Option(help="File to write.")] = Path("docs/openapi.json"),
    check: Annotated[bool, typer.Option("--check", help="Write nothing; fail if a file would change.")] = False,
) -> None:
    """Write the responses to the sample events, the OpenAPI document with them, and the AsyncAPI document."""
    from handlers.asyncapi import asyncapi_json
    from handlers.openapi import document_json
    from local.samples.examples import responses

    with redirect_stdout(sys.stderr):
        written = _write(responses(), check) + _write(
            {output: document_json(), output.with_name("asyncapi.json"): asyncapi_json()}, check
        )
    if check and written:
        fail(f"Run `uv run tradepost openapi`, as these have changed: {', '.join(map(str, written))}")
    print(output)


def _write(files: Mapping[Path, str], check: bool) -> list[Path]:
    """Write the files whose content is new, unless `check` is set; return them."""
    changed = [file for file, text in files.items() if not file.exists() or file.read_text() != text]
    for file in changed if not check else ():
        try:
            file.write_text(files[file])
        except OSError as error:
            fail(f"{file} cannot be written: {error.strerror}.")
    return changed


def event(
    route: Annotated[str, typer.Argument(help="Route: the handler's path below handlers/, such as items/get_item.")],
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing event.")] = False,
    body: Annotated[str | None, typer.Option(help="Request body, as JSON.")] = None,
) -> None:
    """Write the sample event of a route to events/."""
    from cli.sample_event import named, sample_event

    try:
        function = named(route)
        made = sample_event(function, json.loads(body) if body else None)
    except (LookupError, ValueError) as failure:
        fail(str(failure.args[0]), 2)
    if function.event.exists() and not force:
        fail(f"{function.event} exists; use --force to overwrite it.")
    function.event.parent.mkdir(exist_ok=True)
    function.event.write_text(json.dumps(made, indent=2, ensure_ascii=False) + "\n")
    print(function.event)
