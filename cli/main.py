"""The command line: `uv run tradepost …`."""

import json
import os
import signal
import sys
from contextlib import redirect_stdout, suppress
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated
from uuid import uuid4

import typer
from dotenv import load_dotenv
from filelock import FileLock, Timeout
from rich.console import Console

from domain.identity.permissions import Role

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
importing = typer.Typer(no_args_is_help=True, help="Load data through the running API.")
app.add_typer(importing, name="import")

errors = Console(stderr=True)

Data = Annotated[Path, typer.Option(help="The folder that keeps data and keys.")]
Url = Annotated[str, typer.Option(help="The API's base URL.")]
DEFAULT_DATA = Path(".tradepost")
RUNNING = "running.json"
"""Where a running server says how to reach its parts."""
_REPLAYING = "00000000-0000-4000-8000-00000000da11"
"""Who replays: always the same user, as idempotency keys belong to one."""
DEFAULT_URL = "http://127.0.0.1:3000/v1"


@app.command()
def serve(
    port: Annotated[int, typer.Option(help="The port on 127.0.0.1.")] = 3000,
    data: Data = DEFAULT_DATA,
    memory: Annotated[bool, typer.Option("--memory", help="Keep nothing: the data is gone at the end.")] = False,
) -> None:
    """Serve the API on an embedded database."""
    from local.database import database
    from local.server import run, settings_for
    from local.sigv4 import access_key
    from local.tokens import mint, signing_key
    from local.user_pool import directory

    data.mkdir(parents=True, exist_ok=True)
    load_dotenv(Path.cwd() / ".env")
    folder = None if memory else data.resolve()
    key = signing_key(data.resolve())
    operator, is_new = access_key(data.resolve())
    if is_new:
        print(f"Operator's access key, told this once and kept in {data}: {operator.id} {operator.secret}")

    def announce() -> None:
        token = mint(key, tenant="acme", role="owner", user=str(uuid4()))
        body = json.dumps({"name": "Enamel mug", "price": {"amount": "12.99", "currency": "EUR"}, "stock": 10})
        print(f"Tradepost listening on http://127.0.0.1:{port}/v1")
        print(
            f"curl -s http://127.0.0.1:{port}/v1/items -H 'Authorization: Bearer {token}'"
            f" -H 'Content-Type: application/json' -d '{body}'",
            flush=True,
        )

    with _only_one(data), database(folder) as endpoint, directory() as pool:
        settings_for(folder)
        running = data / RUNNING
        running.write_text(json.dumps({"database": endpoint, "directory": pool}))
        try:
            run(key, operator, port, announce)
        finally:
            running.unlink(missing_ok=True)
    errors.print("Stopped.")


def _running(data: Path) -> dict[str, str]:
    running = data / RUNNING
    if not running.exists():
        errors.print(f"No server is running on {data}. Start one with `uv run tradepost serve`.")
        raise typer.Exit(1)
    parts: dict[str, str] = json.loads(running.read_text())
    return parts


def _only_one(data: Path) -> FileLock:
    lock = FileLock(data / "server.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        errors.print(f"Another Tradepost is using {data}. Stop it, or give --data another folder.")
        raise typer.Exit(1) from None
    return lock


@app.command()
def token(
    tenant: Annotated[str, typer.Option(help="The tenant that the token is for.")],
    role: Annotated[Role, typer.Option(help="The part that its bearer has.")] = Role.OWNER,
    user: Annotated[str | None, typer.Option(help="The user's id, a UUID; a new one if not given.")] = None,
    data: Data = DEFAULT_DATA,
) -> None:
    """Print an ID token, good for an hour, for the server that uses the same data folder."""
    from local.tokens import mint, signing_key

    data.mkdir(parents=True, exist_ok=True)
    print(mint(signing_key(data), tenant=tenant, role=role.value, user=user or str(uuid4())))


@app.command()
def login(
    email: Annotated[str, typer.Option(help="The user's e-mail address.")],
    tenant: Annotated[str, typer.Option(help="The user's tenant.")] = "acme",
    password: Annotated[str | None, typer.Option(help="The user's password; without it, a new one is set.")] = None,
    data: Data = DEFAULT_DATA,
) -> None:
    """Sign a user in at the running server's user pool and print the ID token that they get."""
    from local.login import SignInRefusedError, id_token

    running = _running(data)
    try:
        with redirect_stdout(sys.stderr):
            token = id_token(running, data, tenant, email, password)
    except SignInRefusedError as refused:
        errors.print(str(refused))
        raise typer.Exit(1) from None
    print(token)


@app.command()
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
    from local.user_pool import directory

    with database(data), directory():
        settings_for(data)
        if data is None:
            add_samples()
        try:
            with redirect_stdout(sys.stderr):
                response = call(function, json.loads(event.read_text()))
        except LookupError as unknown:
            errors.print(str(unknown.args[0]))
            raise typer.Exit(2) from None
    print(json.dumps(response, indent=2, ensure_ascii=False))


@app.command()
def rehearse() -> None:
    """Call every function of the built zip with its event under AWS's own runtime, on a fresh database with samples."""
    from rich.table import Table

    from infra.rehearsal.functions import rehearse as run
    from infra.rehearsal.lambda_emulator import emulator
    from local.database import CACHE, database
    from local.samples import add_samples
    from local.server import settings_for
    from local.user_pool import directory

    tools = emulator(CACHE)
    table = Table("function", "answer", "init, ms", "log lines")
    failed = 0
    with database(None), directory():
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


@app.command("deploy-local")
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
        errors.print(str(failure.args[0]), highlight=False, markup=False)
        raise typer.Exit(1) from None
    if failed:
        raise typer.Exit(1)


@app.command()
def openapi(
    output: Annotated[Path, typer.Option(help="Where to write it.")] = Path("docs/openapi.json"),
) -> None:
    """Write the OpenAPI document that the handlers make."""
    from handlers.openapi import document_json

    output.write_text(document_json())


@importing.command("items")
def import_items(
    file: Annotated[Path, typer.Argument(help="A CSV file with a header.", exists=True, dir_okay=False)],
    currency: Annotated[str, typer.Option(help="The currency of the prices (ISO 4217).")],
    tenant: Annotated[str, typer.Option(help="Whose catalogue.")] = "acme",
    sku: Annotated[str, typer.Option(help="The column of the SKU.")] = "StockCode",
    name: Annotated[str, typer.Option(help="The column of the name.")] = "Description",
    price: Annotated[str, typer.Option(help="The column of the price.")] = "UnitPrice",
    url: Url = DEFAULT_URL,
    data: Data = DEFAULT_DATA,
) -> None:
    """Load a catalogue from a CSV file. The last price of a SKU wins; what is there already stays."""
    from cli.import_items import Columns, load
    from local.tokens import mint, signing_key

    bearer = mint(signing_key(data), tenant=tenant, role=Role.OWNER, user=str(uuid4()))
    if not load(file, Columns(sku, name, price), currency, url, bearer):
        raise typer.Exit(1)


@app.command()
def replay(
    file: Annotated[Path, typer.Argument(help="A CSV file of invoice lines.", exists=True, dir_okay=False)],
    currency: Annotated[str, typer.Option(help="The currency of the prices (ISO 4217).")],
    tenant: Annotated[str, typer.Option(help="In whose shop.")] = "acme",
    url: Url = DEFAULT_URL,
    data: Data = DEFAULT_DATA,
) -> None:
    """Replay a trading day through the running API and compare the sums. Doing it again does nothing twice."""
    from cli.replay import replay as replaying
    from local.tokens import mint, signing_key

    bearer = mint(signing_key(data), tenant=tenant, role=Role.OWNER, user=_REPLAYING)
    if not replaying.replay(file, currency, url, bearer):
        raise typer.Exit(1)


@app.command()
def audit(
    tenant: Annotated[str, typer.Option(help="Whose books and orders.")] = "acme",
    table: Annotated[str | None, typer.Option(help="A table in AWS; without it, the running server's.")] = None,
    rate: Annotated[float, typer.Option(help="Read units a second at most.", min=1)] = 500,
    data: Data = DEFAULT_DATA,
) -> None:
    """Check that books, orders and stock agree; name the first thing that does not. Goes on where it was stopped."""
    import boto3
    from rich.progress import Progress

    from cli.audit import Audit, BrokenError
    from local.database import ENVIRONMENT, TABLE_NAME
    from repositories.dynamodb.table import Meter, Table

    endpoint = None
    if table is None:
        os.environ.update(ENVIRONMENT)
        endpoint = _running(data)["database"]
    reading = Table(boto3.client("dynamodb", endpoint_url=endpoint), table or TABLE_NAME, Meter())
    data.mkdir(parents=True, exist_ok=True)
    with Progress(console=errors) as bar:
        try:
            audit = Audit(reading, tenant, data / f"audit-{tenant}.json", rate, bar)
            checked = audit.run()
        except BrokenError as broken:
            errors.print(f"Broken: {broken}", highlight=False, markup=False)
            (data / f"audit-{tenant}.json").unlink(missing_ok=True)
            raise typer.Exit(1) from None
    print(", ".join(f"{count:,} {phase}" for phase, count in checked.items()) or "nothing", "checked: all agree.")
    if audit.unsettled:
        print(f"Not compared with orders, as it never stood still: the stock of {', '.join(audit.unsettled)}.")
    print("What was posted in the last half minute is for the next audit.")


@app.command()
def statement(
    account: Annotated[str, typer.Option(help="The account's id or code.")],
    first: Annotated[datetime, typer.Option("--from", help="The first day (UTC).", formats=["%Y-%m-%d"])],
    last: Annotated[datetime, typer.Option("--to", help="The last day (UTC).", formats=["%Y-%m-%d"])],
    as_csv: Annotated[bool, typer.Option("--csv", help="As CSV instead of a table.")] = False,
    tenant: Annotated[str, typer.Option(help="Whose account.")] = "acme",
    url: Url = DEFAULT_URL,
    data: Data = DEFAULT_DATA,
) -> None:
    """Print an account's statement."""
    from cli import statement as printing
    from local.tokens import mint, signing_key

    bearer = mint(signing_key(data), tenant=tenant, role=Role.OWNER, user=str(uuid4()))
    try:
        printing.statement(url, bearer, account, first.date(), last.date(), as_csv=as_csv)
    except printing.FAILURES as failure:
        errors.print(printing.failed(failure, url))
        raise typer.Exit(1) from None


@app.command()
def redrive(
    queue: Annotated[str, typer.Argument(help="The name of the queue, as the stack's output FailedCallsQueue says.")],
) -> None:
    """Make calls that failed for good again, in the AWS account that the environment names."""
    import boto3

    from cli.redrive import redrive as run

    left = done = 0
    for each in run(boto3.client("sqs"), boto3.client("lambda"), queue):
        done += not each.error
        left += bool(each.error)
        told = f"failed again: {each.error}" if each.error else "done"
        print(f"{each.call.function.rpartition(':function:')[2]} ({each.call.reason}): {told}")
    print(f"{done} done, {left} left in the queue.")
    if left:
        raise typer.Exit(1)


def main() -> None:
    """Run the command line."""
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    app()


if __name__ == "__main__":
    main()
