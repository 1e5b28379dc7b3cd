"""Commands that print tokens for the local server."""

from typing import Annotated
from uuid import uuid4

import typer
from pydantic_core import PydanticCustomError

from cli.commands.options import DEFAULT_DATA, Data, fail, require_tenant, require_uuid
from cli.commands.running import running, token_key
from domain.identity.permissions import Role


def token(
    tenant: Annotated[str, typer.Option(help="Tenant of the token.")],
    role: Annotated[Role, typer.Option(help="Role of the user.")] = Role.OWNER,
    user: Annotated[str | None, typer.Option(help="Id of the user, a UUID. Default: a new one.")] = None,
    data: Data = DEFAULT_DATA,
) -> None:
    """Print an ID token, valid for an hour, for the local server on the same data folder."""
    from local.tokens import mint

    require_tenant(tenant)
    if user:
        require_uuid(user)
    print(mint(token_key(data), tenant=tenant, role=role.value, user=user or str(uuid4())))


def login(
    email: Annotated[str, typer.Option(help="E-mail address of the user.")],
    tenant: Annotated[str, typer.Option(help="Tenant of the user.")] = "acme",
    password: Annotated[
        str | None, typer.Option(help="Password of the user. Default: sign in without one, as only this command can.")
    ] = None,
    data: Data = DEFAULT_DATA,
) -> None:
    """Sign a user in to the running server's user pool and print the ID token."""
    from cli.sign_in import SignInRefusedError, id_token
    from domain.identity.email import canonical_email
    from local.addresses import allow_test_domains
    from repositories.identity.user_pool import username

    require_tenant(tenant)
    allow_test_domains()
    pool = running(data)["user_pool"]
    try:
        print(id_token(pool["administration"], pool["client"], username(tenant, canonical_email(email)), password))
    except PydanticCustomError:
        fail(f"{email!r} is not an e-mail address.", 2)
    except SignInRefusedError as refused:
        fail(str(refused))
