"""Commands that print tokens for the local server."""

import sys
from contextlib import redirect_stdout
from typing import Annotated
from uuid import uuid4

import typer

from cli.commands.options import DEFAULT_DATA, Data, fail, require_tenant, require_uuid, running
from domain.identity.permissions import Role


def token(
    tenant: Annotated[str, typer.Option(help="Tenant of the token.")],
    role: Annotated[Role, typer.Option(help="Role of the user.")] = Role.OWNER,
    user: Annotated[str | None, typer.Option(help="Id of the user, a UUID. Default: a new one.")] = None,
    data: Data = DEFAULT_DATA,
) -> None:
    """Print an ID token, valid for an hour, for the local server on the same data folder."""
    from local.tokens import mint, signing_key

    require_tenant(tenant)
    if user:
        require_uuid(user)
    data.mkdir(parents=True, exist_ok=True)
    print(mint(signing_key(data), tenant=tenant, role=role.value, user=user or str(uuid4())))


def login(
    email: Annotated[str, typer.Option(help="E-mail address of the user.")],
    tenant: Annotated[str, typer.Option(help="Tenant of the user.")] = "acme",
    password: Annotated[str | None, typer.Option(help="Password of the user. Default: a new one is set.")] = None,
    data: Data = DEFAULT_DATA,
) -> None:
    """Sign a user in to the running server's user pool and print the ID token."""
    from local.user_pool import SignInRefusedError, id_token

    server = running(data)
    try:
        with redirect_stdout(sys.stderr):
            token = id_token(server, data, tenant, email, password)
    except SignInRefusedError as refused:
        fail(str(refused))
    print(token)
