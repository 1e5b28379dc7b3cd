"""Running servers: where their parts are, in a file that only their owner may read."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from cli.commands.options import fail
from domain.identity.permissions import Role

RUNNING = "running.json"
"""File in the data folder with a running server's URL, keys, database and user pool."""


def write_running(data: Path, **parts: Any) -> Path:
    """Write where the parts of the running server are; return the file."""
    file = data / RUNNING
    file.unlink(missing_ok=True)
    file.touch(mode=0o600)
    file.write_text(json.dumps(parts | {"process": os.getpid()}))
    return file


def find_running(data: Path) -> dict[str, Any] | None:
    """Return the parts of the server on a data folder, or None if none is running."""
    try:
        parts: dict[str, Any] = json.loads((data / RUNNING).read_text())
    except (OSError, ValueError):
        return None
    return parts if isinstance(parts, dict) and _is_alive(parts.get("process")) else None


def running(data: Path) -> dict[str, Any]:
    """Return the parts of the server on a data folder. Exits with 1 if none is running."""
    parts = find_running(data)
    if parts is None:
        start = "Start one with `uv run tradepost serve`"
        fail(f"No server is running on {data}. {start}, or name its folder with --data.")
    return parts


def use_server(parts: dict[str, Any]) -> None:
    """Point the functions and repositories of this process to a running server's database and user pool."""
    from local.database import ENVIRONMENT

    pool = parts["user_pool"]
    os.environ.update(ENVIRONMENT)
    os.environ.pop("AWS_PROFILE", None)
    os.environ["AWS_ENDPOINT_URL_DYNAMODB"] = parts["database"]
    os.environ["AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER"] = pool["administration"]
    os.environ["USER_POOL_ID"] = pool["pool"]


def token_key(data: Path) -> RSAPrivateKey:
    """Return the key for tokens of the server on a data folder. Exits with 1 if no server has run there."""
    from local.tokens import signing_key, signing_key_of

    parts = find_running(data)
    if parts:
        return signing_key_of(parts["token_key"].encode())
    if not (data / "token-key.pem").exists():
        fail(f"No server has run on {data}, so that no server would accept the token. Name its folder with --data.")
    try:
        return signing_key(data)
    except ValueError:
        fail(f"{data / 'token-key.pem'} is damaged. Remove it, and the next start of the server makes another one.")


def _is_alive(process: object) -> bool:
    if not isinstance(process, int):
        return False
    try:
        os.kill(process, 0)
    except (ProcessLookupError, PermissionError):
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
    from local.tokens import mint

    base = url_of(url, data)
    try:
        yield base, mint(token_key(data), tenant=tenant, role=Role.OWNER, user=user or str(uuid4()))
    except FAILURES as failure:
        fail(failed(failure, base))
