"""Options and helpers of several commands."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, NoReturn
from uuid import UUID, uuid4

import typer
from rich.console import Console

from domain.common.ids import is_tenant_id
from domain.identity.permissions import Role

stderr = Console(stderr=True, soft_wrap=True)

Data = Annotated[Path, typer.Option(help="Folder with data and keys.")]
Url = Annotated[
    str | None,
    typer.Option(envvar="TRADEPOST_URL", help="Base URL of the API. Default: the server that runs on the data folder."),
]
DEFAULT_DATA = Path(".tradepost")
RUNNING = "running.json"
"""File in the data folder with a running server's URL, database and user pool. Only its owner may read it."""


def fail(message: str, code: int = 1) -> NoReturn:
    """End the command with a message and an exit code."""
    stderr.print(message, highlight=False, markup=False)
    raise typer.Exit(code)


def write_running(data: Path, **parts: Any) -> Path:
    """Write where the parts of the running server are; return the file."""
    file = data / RUNNING
    file.unlink(missing_ok=True)
    file.touch(mode=0o600)
    file.write_text(json.dumps(parts))
    return file


def running(data: Path) -> dict[str, Any]:
    """Return the URL, the database and the user pool of the server on `data`. Exits with 1 if none is running."""
    file = data / RUNNING
    if file.exists():
        parts: dict[str, Any] = json.loads(file.read_text())
        if _is_alive(parts["process"]):
            return parts
    fail(f"No server is running on {data}. Start one with `uv run tradepost serve`, or name its folder with --data.")


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def url_of(url: str | None, data: Path) -> str:
    """Return the base URL that was given, or that of the server on `data`. Exits with 1 without either."""
    return url or str(running(data)["url"])


@contextmanager
def api_of(tenant: str, url: str | None, data: Path, user: str | None = None) -> Iterator[tuple[str, str]]:
    """Yield the base URL of the API and a token for an owner of `tenant`; `user` is a UUID, by default a new one.

    Exits with 1 without an API, and on errors of requests to it within the context.
    """
    from cli.api_client import FAILURES, failed
    from local.tokens import mint, signing_key

    base = url_of(url, data)
    try:
        yield base, mint(signing_key(data), tenant=tenant, role=Role.OWNER, user=user or str(uuid4()))
    except FAILURES as failure:
        fail(failed(failure, base))


def require_tenant(tenant: str) -> None:
    """Exit with 2 unless a text can be a tenant's id."""
    if not is_tenant_id(tenant):
        fail(f"{tenant!r} cannot be a tenant: 3 to 40 lower-case letters, digits and hyphens.", 2)


def require_key(data: Path) -> None:
    """Exit with 1 unless a server has made the key for tokens in a data folder."""
    if not (data / "token-key.pem").exists():
        fail(f"No server has run on {data}, so that no server would accept the token. Name its folder with --data.")


def require_uuid(user: str) -> None:
    """Exit with 2 unless a text is a UUID."""
    try:
        UUID(user)
    except ValueError:
        fail(f"{user!r} cannot be a user: an id is a UUID.", 2)
