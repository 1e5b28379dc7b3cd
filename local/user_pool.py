"""Services of AWS that functions use locally: the user pool, and secrets and roles, which moto emulates."""

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from local.aws import queues
from local.aws.queues import create_queues
from local.cognito.service import UserPoolService, listening
from local.cognito.users import INVITED, POOL_ID, PoolUser, Users
from local.database import TABLE_NAME
from local.invocation import invoke
from local.tokens import signing_key
from repositories.dynamodb import keys
from repositories.identity.user_pool import TENANT_ATTRIBUTE, username

SERVICES = ("SECRETS_MANAGER", "STS")
"""AWS services that moto emulates locally."""


@contextmanager
def user_pool(
    folder: Path | None = None, key: RSAPrivateKey | None = None, notify: Callable[[str], None] = lambda _: None
) -> Iterator[tuple[UserPoolService, str]]:
    """Run the user pool of a data folder (None: in memory); yield it and the endpoint for administrators.

    `key` signs the tokens (None: a new one), and `notify` is called with what Cognito would send by e-mail. The
    environment variables of this process and its child processes then point to the pool.
    """
    file = folder and folder / "user-pool.json"
    is_new = not (file and file.exists())
    users = Users(file)
    if is_new:
        _add_users_of_table(users)
    service = UserPoolService(key or signing_key(None), users, invoke, notify)
    with _moto(), listening(service) as endpoint:
        os.environ["AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER"] = endpoint
        os.environ["USER_POOL_ID"] = POOL_ID
        yield service, endpoint


@contextmanager
def _moto() -> Iterator[None]:
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        for service in (*SERVICES, *queues.SERVICES):
            os.environ[f"AWS_ENDPOINT_URL_{service}"] = f"http://{host}:{port}"
        create_queues()
        yield
    finally:
        server.stop()


def _add_users_of_table(users: Users) -> None:
    """Invite the users of a table that is older than its pool."""
    users.add_invited(_invited(row) for row in _user_rows())


def _invited(row: dict[str, Any]) -> PoolUser:
    head, tenant = row["head"], keys.tenant_of(row["pk"])
    attributes = {"email": head["email"], "email_verified": "true", TENANT_ATTRIBUTE: tenant}
    return PoolUser(username(tenant, row["canonical_email"]), head["id"], INVITED, attributes, groups=[head["role"]])


def _user_rows() -> Iterator[dict[str, Any]]:
    table = boto3.resource("dynamodb").Table(TABLE_NAME)
    options: dict[str, Any] = {}
    while True:
        page = table.scan(**options)
        yield from (row for row in page["Items"] if row["type"] == "user" and row["canonical_email"])
        if "LastEvaluatedKey" not in page:
            return
        options["ExclusiveStartKey"] = page["LastEvaluatedKey"]
