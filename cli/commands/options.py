"""Options and helpers of several commands."""

from pathlib import Path
from typing import Annotated, NoReturn
from uuid import UUID

import typer

from cli.console import stderr
from domain.common.ids import is_tenant_id

Data = Annotated[Path, typer.Option(envvar="TRADEPOST_DATA", help="Folder with data and keys.")]
Url = Annotated[
    str | None,
    typer.Option(envvar="TRADEPOST_URL", help="Base URL of the API. Default: the server that runs on the data folder."),
]
TableName = Annotated[str | None, typer.Option(help="Table in AWS. Default: the table of the running server.")]
DEFAULT_DATA = Path(".tradepost")


def fail(message: str, code: int = 1) -> NoReturn:
    """End the command with a message and an exit code."""
    stderr.print(message, highlight=False, markup=False)
    raise typer.Exit(code)


def require_tenant(tenant: str) -> None:
    """Exit with 2 unless a text can be a tenant's id."""
    if not is_tenant_id(tenant):
        fail(f"{tenant!r} cannot be a tenant: 3 to 40 lower-case letters, digits and hyphens.", 2)


def require_uuid(user: str) -> None:
    """Exit with 2 unless a text is a UUID."""
    try:
        UUID(user)
    except ValueError:
        fail(f"{user!r} cannot be a user: an id is a UUID.", 2)
