"""A DynamoDB client with access to the rows of one tenant only, if the stack has a role for that.

The role's policy allows only partition keys with the tenant's prefix (`dynamodb:LeadingKeys`); the tenant is a session
tag. DynamoDB therefore denies access to another tenant's rows even if a repository has a bug.
"""

from typing import TYPE_CHECKING

from botocore.credentials import ReadOnlyCredentials

from repositories.aws import tenant_credentials
from repositories.aws.clients import dynamodb, sts
from repositories.aws.errors import mapped_to_domain
from repositories.aws.settings import settings

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

TAG = "tenant"
_SESSION_SECONDS = 3600
"""Duration of a session in seconds: the maximum for role chaining (IAM user guide, "Role chaining")."""
_RENEW_SECONDS = 1200
"""Seconds before the end of a session at which it is renewed: more than download URLs work that are signed with it."""


def tenant_client(tenant: str) -> "DynamoDBClient":
    """Return the client for the table, restricted to a tenant's rows for the current request if TENANT_ROLE is set."""
    role = settings().tenant_role
    if role:
        max_age = _SESSION_SECONDS - _RENEW_SECONDS
        found = tenant_credentials.known.get(tenant, lambda: _assumed(role, tenant), max_age=max_age)
        tenant_credentials.use(tenant, found)
    return dynamodb()


def _assumed(role: str, tenant: str) -> ReadOnlyCredentials:
    with mapped_to_domain():
        session = sts().assume_role(
            RoleArn=role,
            RoleSessionName="tradepost",
            DurationSeconds=_SESSION_SECONDS,
            Tags=[{"Key": TAG, "Value": tenant}],
        )
    given = session["Credentials"]
    return ReadOnlyCredentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
