"""Local user pool: moto's Cognito in this process. It is not persistent, so it is filled from the table."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
from botocore.exceptions import ClientError

from domain.common.errors import Forbidden
from domain.identity.email import canonical_email
from domain.identity.permissions import Role
from local.database import ENVIRONMENT, TABLE_NAME
from local.invocation import invoke
from local.tokens import mint, signing_key
from repositories.identity.user_pool import username

SERVICES = ("COGNITO_IDENTITY_PROVIDER", "SECRETS_MANAGER", "STS")
"""AWS services that moto emulates locally."""
_ACCOUNT, _REGION = "123456789012", "eu-west-1"


@contextmanager
def user_pool() -> Iterator[dict[str, str]]:
    """Run a user pool with all users of the table and yield its endpoint, id and client id.

    The environment variables of this process and its child processes then point to it.
    """
    from moto.server import ThreadedMotoServer

    _find_by_subject()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        for service in SERVICES:
            os.environ[f"AWS_ENDPOINT_URL_{service}"] = f"http://{host}:{port}"
        pool, client = _make_pool()
        os.environ["USER_POOL_ID"] = pool
        _fill(pool)
        yield {"endpoint": f"http://{host}:{port}", "pool": pool, "client": client}
    finally:
        server.stop()


def sign_in(user_pool: dict[str, str], username: str, password: str | None) -> str:
    """Sign a user in and return the subject. Without a password, a random one is set first, as after an invitation."""
    cognito = boto3.client("cognito-idp", endpoint_url=user_pool["endpoint"])
    if password is None:
        password = f"Aa1!{uuid4()}"
        cognito.admin_set_user_password(
            UserPoolId=user_pool["pool"], Username=username, Password=password, Permanent=True
        )
    token = cognito.initiate_auth(
        ClientId=user_pool["client"],
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": username, "PASSWORD": password},
    )["AuthenticationResult"]["AccessToken"]
    attributes = cognito.get_user(AccessToken=token)["UserAttributes"]
    return next(each["Value"] for each in attributes if each["Name"] == "sub")


@cache
def _find_by_subject() -> None:
    """Patch moto to find users by subject too, as Cognito does (API reference, AdminGetUser, `Username`)."""
    from moto.cognitoidp.models import CognitoIdpUser, CognitoIdpUserPool

    by_name = CognitoIdpUserPool._get_user

    def find(self: CognitoIdpUserPool, username: str) -> CognitoIdpUser | None:
        by_subject = (user for user in self.users.values() if user.id == username)
        return by_name(self, username) or next(by_subject, None)

    setattr(CognitoIdpUserPool, "_get_user", find)  # noqa: B010 - moto annotates it as never returning None


def _make_pool() -> tuple[str, str]:
    cognito = boto3.client("cognito-idp")
    pool = cognito.create_user_pool(PoolName="tradepost")["UserPool"]["Id"]
    client = cognito.create_user_pool_client(
        UserPoolId=pool, ClientName="local", ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
    )["UserPoolClient"]["ClientId"]
    for role in Role:
        cognito.create_group(UserPoolId=pool, GroupName=role.value)
    return pool, client


def _fill(pool: str) -> None:
    cognito = boto3.client("cognito-idp")
    for row in _user_rows():
        head = row["head"]
        tenant = row["pk"].split("#")[1]
        name = f"{tenant}/{row['canonical_email']}"
        attributes: Any = [{"Name": "email", "Value": head["email"]}, {"Name": "custom:tenant_id", "Value": tenant}]
        cognito.admin_create_user(UserPoolId=pool, Username=name, UserAttributes=attributes, MessageAction="SUPPRESS")
        cognito.admin_add_user_to_group(UserPoolId=pool, Username=name, GroupName=head["role"])
        _set_subject(pool, name, head["id"])


def _user_rows() -> Iterator[dict[str, Any]]:
    table = boto3.resource("dynamodb").Table(TABLE_NAME)
    options: dict[str, Any] = {}
    while True:
        page = table.scan(**options)
        yield from (row for row in page["Items"] if row["type"] == "user" and row["canonical_email"])
        if "LastEvaluatedKey" not in page:
            return
        options["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def _set_subject(pool: str, name: str, subject: str) -> None:
    """Set a user's subject to the id in the table. Cognito assigns subjects and has no API call to set them."""
    from moto.backends import get_backend

    user = get_backend("cognito-idp")[_ACCOUNT][_REGION].user_pools[pool].users[name]
    user.id = subject
    user.update_attributes([{"Name": "sub", "Value": subject}])


class SignInRefusedError(Exception):
    """The user pool, or the trigger that adds claims to a token, rejected the sign-in."""


def id_token(running: dict[str, Any], data: Path, tenant: str, email: str, password: str | None) -> str:
    """Sign a user in and return the ID token. Raises SignInRefusedError.

    `running` has the endpoints of the server's database and user pool, `data` is its folder. moto calls no triggers, so
    they are called here, and the token is signed with the key that the local gateway trusts.
    """
    os.environ.update(ENVIRONMENT, AWS_ENDPOINT_URL_DYNAMODB=running["database"])
    name = username(tenant, canonical_email(email))
    try:
        subject = sign_in(running["user_pool"], name, password)
        event = {"userName": name, "request": {"userAttributes": {"sub": subject, "email": email}}, "response": {}}
        claims = invoke("PreTokenGeneration", event)["response"]["claimsOverrideDetails"]
        invoke("PostAuthentication", event)
    except (ClientError, Forbidden) as refused:
        raise SignInRefusedError(str(refused)) from refused
    [role] = claims["groupOverrideDetails"]["groupsToOverride"]
    return mint(signing_key(data), tenant=tenant, role=role, user=subject, email=email)
