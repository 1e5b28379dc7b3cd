"""Signing in at the running server's user pool, with the triggers that Cognito would call."""

import os
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from domain.common.errors import Forbidden
from domain.identity.email import canonical_email
from local.database import ENVIRONMENT
from local.invocation import invoke
from local.tokens import mint, signing_key
from local.user_pool import sign_in
from repositories.identity.user_pool import username


class SignInRefusedError(Exception):
    """The pool, or the trigger that puts claims into a token, refused."""


def id_token(running: dict[str, Any], data: Path, tenant: str, email: str, password: str | None) -> str:
    """Return the ID token of whoever signs in.

    `running` says where the server's database and pool are, `data` is its folder. moto calls no triggers, so they are
    called here, and the token is signed by the key that the local gateway trusts.
    """
    os.environ.update(ENVIRONMENT, AWS_ENDPOINT_URL_DYNAMODB=running["database"])
    name = username(tenant, canonical_email(email))
    try:
        subject = sign_in(running["directory"], name, password)
        event = {"userName": name, "request": {"userAttributes": {"sub": subject, "email": email}}, "response": {}}
        claims = invoke("PreTokenGeneration", event)["response"]["claimsOverrideDetails"]
        invoke("PostAuthentication", event)
    except (ClientError, Forbidden) as refused:
        raise SignInRefusedError(str(refused)) from refused
    [role] = claims["groupOverrideDetails"]["groupsToOverride"]
    return mint(signing_key(data), tenant=tenant, role=role, user=subject, email=email)
