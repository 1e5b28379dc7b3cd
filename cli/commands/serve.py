"""Command that runs the local server."""

import json
import os
from pathlib import Path
from typing import Annotated
from uuid import uuid4

import typer
from dotenv import load_dotenv
from filelock import FileLock, Timeout

from cli.commands.options import DEFAULT_DATA, Data, fail, running, stderr, write_running


def serve(
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1.")] = 3000,
    data: Data = DEFAULT_DATA,
    memory: Annotated[bool, typer.Option("--memory", help="Keep data in memory only.")] = False,
) -> None:
    """Run the API locally on an embedded database."""
    from local.cognito.users import POOL_ID
    from local.database import database
    from local.server import run, settings_for
    from local.sigv4 import access_key
    from local.tokens import AUDIENCE, mint, signing_key
    from local.user_pool import user_pool

    data.mkdir(parents=True, exist_ok=True)
    load_dotenv(Path.cwd() / ".env")
    folder = None if memory else data.resolve()
    key = signing_key(data.resolve())
    operator, is_new = access_key(data.resolve())
    if is_new:
        print(f"The access key for operators is in {data / 'access-key.json'}")

    def announce() -> None:
        token = mint(key, tenant="acme", role="owner", user=str(uuid4()))
        body = json.dumps({"name": "Enamel mug", "price": {"amount": "12.99", "currency": "EUR"}, "stock": 10})
        print(f"Tradepost listening on http://127.0.0.1:{port}/v1 (documentation: http://127.0.0.1:{port}/v1/docs)")
        print(
            f"curl -s http://127.0.0.1:{port}/v1/items -H 'Authorization: Bearer {token}'"
            f" -H 'Content-Type: application/json' -d '{body}'",
            flush=True,
        )

    with only_one(data), database(folder) as endpoint, user_pool(folder, key, notify=print) as (pool, administration):
        settings_for(folder)
        running_file = write_running(
            data,
            url=f"http://127.0.0.1:{port}/v1",
            process=os.getpid(),
            database=endpoint,
            user_pool={
                "endpoint": f"http://127.0.0.1:{port}/cognito-idp",
                "administration": administration,
                "pool": POOL_ID,
                "client": AUDIENCE,
            },
        )
        try:
            run(key, operator, pool, port, announce)
        finally:
            running_file.unlink(missing_ok=True)
    stderr.print("Stopped.")


def status(
    data: Data = DEFAULT_DATA,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show where the parts of the running server are."""
    parts = running(data)
    if as_json:
        print(json.dumps(parts))
        return
    print(f"API: {parts['url']} (process {parts['process']})")
    print(f"Database (DynamoDB): {parts['database']}")
    pool = parts["user_pool"]
    print(f"User pool (Cognito): {pool['endpoint']}, pool {pool['pool']}, app client {pool['client']}")


def only_one(data: Path) -> FileLock:
    """Return the acquired lock on a data folder. Exits with 1 if another server has it."""
    lock = FileLock(data / "server.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        fail(f"Another Tradepost is using {data}. Stop it, or give --data another folder.")
    return lock
