"""A DynamoDB client with credentials for the rows of one tenant only, if the stack has a role for that.

The role's policy allows only partition keys with the tenant's prefix (`dynamodb:LeadingKeys`); the tenant is a session
tag. DynamoDB therefore denies access to another tenant's rows even if a repository has a bug.
"""

from functools import partial
from typing import TYPE_CHECKING, Any

from repositories.aws.clients import dynamodb, dynamodb_with, sts
from repositories.aws.errors import EXPIRED, mapped_to_domain
from repositories.aws.settings import settings
from repositories.aws.ttl_cache import TtlCache

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

TAG = "tenant"
_SESSION_SECONDS = 3600
"""Duration of a session in seconds: the maximum for role chaining (IAM user guide, "Role chaining")."""
_RENEW_SECONDS = 300
"""Seconds before the end of a session at which it is renewed: more than a request takes and clocks differ by."""

cache: "TtlCache[str, DynamoDBClient]" = TtlCache(50)
"""Clients by tenant."""


def tenant_client(tenant: str) -> "DynamoDBClient":
    """Return the client for a tenant's rows: restricted to them if TENANT_ROLE is set, else the function's own."""
    role = settings().tenant_role
    if not role:
        return dynamodb()
    return cache.get(tenant, lambda: _restricted(role, tenant), max_age=_SESSION_SECONDS - _RENEW_SECONDS)


def _restricted(role: str, tenant: str) -> "DynamoDBClient":
    with mapped_to_domain():
        session = sts().assume_role(
            RoleArn=role,
            RoleSessionName="tradepost",
            DurationSeconds=_SESSION_SECONDS,
            Tags=[{"Key": TAG, "Value": tenant}],
        )
    client = dynamodb_with(session["Credentials"])
    client.meta.events.register("after-call.dynamodb", partial(_forget_expired, tenant))
    return client


def _forget_expired(tenant: str, parsed: dict[str, Any], **_: Any) -> None:
    """Drop a tenant's client if DynamoDB reports expired credentials; the next request creates another."""
    if parsed.get("Error", {}).get("Code") in EXPIRED:
        cache.forget(tenant)
