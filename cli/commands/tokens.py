"""Commands that print tokens for the local server."""

import sys
from contextlib import redirect_stdout
from typing import Annotated
from uuid import uuid4

import typer

from cli.commands.options import DEFAULT_DATA, Data, running, stderr
from domain.identity.permissions import Role


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


def login(
    email: Annotated[str, typer.Option(help="The user's e-mail address.")],
    tenant: Annotated[str, typer.Option(help="The user's tenant.")] = "acme",
    password: Annotated[str | None, typer.Option(help="The user's password; without it, a new one is set.")] = None,
    data: Data = DEFAULT_DATA,
) -> None:
    """Sign a user in at the running server's user pool and print the ID token that they get."""
    from local.user_pool import SignInRefusedError, id_token

    server = running(data)
    try:
        with redirect_stdout(sys.stderr):
            token = id_token(server, data, tenant, email, password)
    except SignInRefusedError as refused:
        stderr.print(str(refused))
        raise typer.Exit(1) from None
    print(token)
