"""Commands that run the local server and show it."""

import json
import os
import shlex
import socket
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import typer
from dotenv import load_dotenv
from filelock import FileLock, Timeout

from cli.commands.options import DEFAULT_DATA, Data, fail
from cli.commands.running import running, write_running
from cli.console import stderr

_RELOADED = ("domain", "handlers", "local", "repositories")


def serve(
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1.", min=1, max=65535)] = 3000,
    data: Data = DEFAULT_DATA,
    memory: Annotated[bool, typer.Option("--memory", help="Keep nothing: data and keys are in memory.")] = False,
    log_json: Annotated[
        bool, typer.Option("--log-json", help="Write log lines as JSON, as in AWS. Default in a pipe.")
    ] = False,
    events: Annotated[
        bool, typer.Option(help="Relay events: count sales and deliver webhooks. Without, writes are faster.")
    ] = True,
    stripe_api: Annotated[
        str | None, typer.Option("--stripe-api", help="Stripe's API. Default: a simulator, which needs no account.")
    ] = None,
    paypal_api: Annotated[str | None, typer.Option("--paypal-api", help="PayPal's API. Default: a simulator.")] = None,
    reload: Annotated[bool, typer.Option("--reload", help="Start again when the code changes.")] = False,
) -> None:
    """Run the API locally on an embedded database."""
    if reload:
        _reload([each for each in sys.argv[1:] if each != "--reload"])
        return
    _require_free(port)
    os.umask(0o077)  # what is kept has customers' data and keys
    load_dotenv(Path.cwd() / ".env")
    readable = not log_json and sys.stdout.isatty()
    try:
        with _private(data, keep=not memory), _only_one(data, keep=not memory):
            providers = {"stripe_api": stripe_api, "paypal_api": paypal_api}
            _serve(port, data, None if memory else data.resolve(), providers, readable=readable, events=events)
    except LookupError as failure:
        fail(str(failure.args[0]))
    stderr.print("Stopped.")


def _serve(
    port: int, data: Path, folder: Path | None, providers: dict[str, str | None], *, readable: bool, events: bool
) -> None:
    from local.addresses import allow_test_domains
    from local.aws.files import files
    from local.aws.secrets import ENDPOINT, secrets_manager
    from local.cognito.users import POOL_ID
    from local.database import database
    from local.http.log_lines import ReadableLog
    from local.http.server import COGNITO_PATH, run, settings_for
    from local.simulators.banks import PATH, Banks
    from local.tokens import AUDIENCE, mint, pem
    from local.user_pool import user_pool
    from repositories.aws.settings import environment

    allow_test_domains()
    key, operator, is_new = _keys(folder)
    url = f"http://127.0.0.1:{port}"
    apis = {name: given or f"{url}{PATH}/{name.removesuffix('_api')}" for name, given in providers.items()}

    def announce() -> None:
        if folder and is_new:
            print(f"The access key for operators is in {data / 'access-key.json'}")
        token = mint(key, tenant="acme", role="owner", user=str(uuid4()))
        body = json.dumps({"name": "Enamel mug", "price": {"amount": "12.99", "currency": "EUR"}, "stock": 10})
        print(f"Tradepost listening on {url}/v1 (documentation: {url}/v1/docs)")
        for name, label in (("stripe_api", "Stripe"), ("paypal_api", "PayPal")):
            print(f"{label}: {apis[name]}" + ("" if providers[name] else f" (simulated: {url}{PATH})"))
        print(
            f"curl -s {url}/v1/items -H 'Authorization: Bearer {token}'"
            f" -H 'Content-Type: application/json' -d '{body}'",
            flush=True,
        )

    if readable:
        sys.stdout = ReadableLog(sys.stdout)
    with (
        database(folder, stream=events) as endpoint,
        user_pool(folder, key, notify=_print_at_once) as (pool, administration),
        secrets_manager(folder and folder / "secrets.json") as secrets,
        files(folder and folder / "exports") as bucket,
        closing(Banks(folder and folder / "simulators.db")) as banks,
    ):
        settings_for(folder)
        os.environ |= environment(**apis) | {ENDPOINT: secrets}
        cognito = {"endpoint": f"{url}{COGNITO_PATH}", "administration": administration}
        running_file = write_running(
            data,
            url=f"{url}/v1",
            database=endpoint,
            services=os.environ["AWS_ENDPOINT_URL_SQS"],
            user_pool=cognito | {"pool": POOL_ID, "client": AUDIENCE},
            stripe=apis["stripe_api"],
            paypal=apis["paypal_api"],
            secrets=secrets,
            files=bucket,
            token_key=pem(key).decode(),
            access_key=asdict(operator),
        )
        try:
            run(key, operator, pool, banks, port, announce, folder=folder, readable=readable, events=events)
        finally:
            running_file.unlink(missing_ok=True)


def _print_at_once(line: str) -> None:
    print(line, flush=True)


def _keys(folder: Path | None) -> Any:
    """Return the key for tokens, the operators' access key, and whether that is new. Raises LookupError."""
    from local.http.sigv4 import access_key
    from local.tokens import signing_key

    try:
        return signing_key(folder), *access_key(folder)
    except (ValueError, TypeError):
        damaged = f"token-key.pem or access-key.json in {folder} is damaged."
        raise LookupError(f"{damaged} Remove it, and the next start makes another one.") from None


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            fail(f"Port {port} cannot be used: {error.strerror}. Give another one with --port.")


@contextmanager
def _private(data: Path, *, keep: bool) -> Iterator[None]:
    """Make a data folder that only its owner can read. Remove it at the end if it was made here and is empty.

    A folder for data that was there before is made private too. Raises LookupError.
    """
    is_new = not data.exists()
    try:
        data.mkdir(parents=True, exist_ok=True)
        if is_new or keep:
            data.chmod(0o700)
    except OSError as error:
        raise LookupError(f"{data} cannot be the data folder: {error.strerror}. Give another with --data.") from None
    try:
        yield
    finally:
        if is_new and not any(data.iterdir()):
            with suppress(OSError):
                data.rmdir()


@contextmanager
def _only_one(data: Path, *, keep: bool) -> Iterator[None]:
    """Hold the lock on a data folder, and remove its file unless it is to be kept. Exits with 1 if it is taken."""
    lock = FileLock(data / "server.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        fail(f"Another Tradepost is using {data}. Stop it, or give --data another folder.")
    try:
        yield
    finally:
        if not keep:
            Path(lock.lock_file).unlink(missing_ok=True)
        lock.release()


def _reload(arguments: list[str]) -> None:
    """Run this command without --reload, and again whenever a module changes."""
    from watchfiles import PythonFilter, run_process

    from handlers.registry import ROOT

    command = shlex.join([sys.executable, "-m", "cli.main", *arguments])
    folders = [ROOT / name for name in _RELOADED]
    run_process(*folders, target=command, target_type="command", watch_filter=PythonFilter(), sigint_timeout=30)


def status(
    data: Data = DEFAULT_DATA,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show where the parts of the running server are."""
    parts = running(data)
    if as_json:
        print(json.dumps({name: value for name, value in parts.items() if not name.endswith("_key")}))
        return
    print(f"API: {parts['url']} (process {parts['process']})")
    print(f"Database (DynamoDB): {parts['database']}")
    pool = parts["user_pool"]
    print(f"Stripe: {parts['stripe']}")
    print(f"PayPal: {parts['paypal']}")
    print(f"Credentials of payment providers (Secrets Manager): {parts['secrets']}")
    print(f"Files of exports (S3): {parts['files']}")
    print(f"Queues and event bus (SQS, EventBridge): {parts['services']}")
    print(f"User pool (Cognito): {pool['endpoint']}, pool {pool['pool']}, app client {pool['client']}")
