"""A DynamoDB client that can reach one tenant's rows and no others, where the stack has a role for it.

The role's policy allows partition keys that begin with the tenant's prefix (`dynamodb:LeadingKeys`), the tenant being
a tag of the session: whatever mistake a repository made, DynamoDB would refuse it.
"""

import time
from collections import OrderedDict
from typing import TYPE_CHECKING

from repositories.clients import dynamodb, dynamodb_with, sts
from repositories.outages import translated
from repositories.settings import settings

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

TAG = "tenant"
_KEPT = 50
"""How many tenants' clients a warm function keeps."""
_RENEW_SECONDS = 300
_SESSION_SECONDS = 3600
"""One role taken from another lasts an hour at most (IAM user guide, "Role chaining")."""

_clients: "OrderedDict[str, tuple[float, DynamoDBClient]]" = OrderedDict()


def client_for(tenant: str) -> "DynamoDBClient":
    """Return the client to use for a tenant: fenced in if the stack says so, else the function's own."""
    role = settings().tenant_role
    if not role:
        return dynamodb()
    expires, client = _clients.get(tenant, (0.0, None))
    if client is None or expires < time.monotonic():
        client = _fenced(role, tenant)
        _clients[tenant] = (time.monotonic() + _SESSION_SECONDS - _RENEW_SECONDS, client)
        if len(_clients) > _KEPT:
            _clients.popitem(last=False)
    _clients.move_to_end(tenant)
    return client


def _fenced(role: str, tenant: str) -> "DynamoDBClient":
    with translated():
        session = sts().assume_role(
            RoleArn=role,
            RoleSessionName="tradepost",
            DurationSeconds=_SESSION_SECONDS,
            Tags=[{"Key": TAG, "Value": tenant}],
        )
    return dynamodb_with(session["Credentials"])
