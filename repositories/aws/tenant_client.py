"""A DynamoDB client that can reach one tenant's rows and no others, where the stack has a role for it.

The role's policy allows partition keys that begin with the tenant's prefix (`dynamodb:LeadingKeys`), the tenant being
a tag of the session: whatever mistake a repository made, DynamoDB would refuse it.
"""

from collections import OrderedDict
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from domain.common.environment import now
from repositories.aws.clients import dynamodb, dynamodb_with, sts
from repositories.aws.errors import EXPIRED, translated
from repositories.aws.settings import settings

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

TAG = "tenant"
_KEPT = 50
"""How many tenants' clients a warm function keeps."""
_RENEW = timedelta(minutes=5)
"""Before the credentials expire: longer than any request takes, and clocks that differ."""
_SESSION_SECONDS = 3600
"""One role taken from another lasts an hour at most (IAM user guide, "Role chaining")."""

_clients: "OrderedDict[str, tuple[datetime, DynamoDBClient]]" = OrderedDict()
"""By tenant: when the credentials expire, by the wall clock, as others stand still in a frozen environment."""


def client_for(tenant: str) -> "DynamoDBClient":
    """Return the client to use for a tenant: fenced in if the stack says so, else the function's own."""
    role = settings().tenant_role
    if not role:
        return dynamodb()
    known = _clients.get(tenant)
    if known is None or known[0] - _RENEW < now():
        known = _clients[tenant] = _fenced(role, tenant)
        if len(_clients) > _KEPT:
            _clients.popitem(last=False)
    _clients.move_to_end(tenant)
    return known[1]


def _fenced(role: str, tenant: str) -> "tuple[datetime, DynamoDBClient]":
    """Return when the credentials of a client expire, and the client."""
    with translated():
        session = sts().assume_role(
            RoleArn=role,
            RoleSessionName="tradepost",
            DurationSeconds=_SESSION_SECONDS,
            Tags=[{"Key": TAG, "Value": tenant}],
        )
    client = dynamodb_with(session["Credentials"])
    client.meta.events.register("after-call.dynamodb", partial(_forget_expired, tenant))
    return session["Credentials"]["Expiration"], client


def _forget_expired(tenant: str, parsed: dict[str, Any], **_: Any) -> None:
    """Forget the client of a tenant whose credentials DynamoDB calls expired: the next request makes another."""
    if parsed.get("Error", {}).get("Code") in EXPIRED:
        _clients.pop(tenant, None)
