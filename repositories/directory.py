"""The user pool: who can sign in. What a person may do stands in the table; groups here follow it.

A user's name in the pool is `tenant/e-mail`, so that one person can be a customer of two shops, and so that creating
the same user again, after a crash between pool and table, finds the first one.
"""

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from domain.access import Role
from repositories.clients import cognito
from repositories.outages import translated
from repositories.settings import settings

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient

TENANT_ATTRIBUTE = "custom:tenant_id"
_INVITED = "FORCE_CHANGE_PASSWORD"
"""Of a user who was invited and has not signed in yet."""


class SignedUp(Exception):
    """Somebody signed up under this name by themself."""


def username(tenant: str, canonical_email: str) -> str:
    """Return a user's name in the pool."""
    return f"{tenant}/{canonical_email}"


def tenant_of(name: str) -> str:
    """Return the tenant of a user's name in the pool."""
    return name.partition("/")[0]


@dataclass(frozen=True, slots=True)
class Directory:
    """The user pool. Every method can be repeated."""

    client: "CognitoIdentityProviderClient"
    pool: str

    def invite(self, tenant: str, canonical_email: str, email: str) -> str:
        """Create a user, who is sent an invitation, and return the subject; of one who was invited before, just that.

        Raises SignedUp for one who came by themself.
        """
        name = username(tenant, canonical_email)
        with translated():
            try:
                user: Any = self.client.admin_create_user(
                    UserPoolId=self.pool,
                    Username=name,
                    UserAttributes=[
                        {"Name": "email", "Value": email},
                        {"Name": "email_verified", "Value": "true"},
                        {"Name": TENANT_ATTRIBUTE, "Value": tenant},
                    ],
                    DesiredDeliveryMediums=["EMAIL"],
                )["User"]["Attributes"]
            except self.client.exceptions.UsernameExistsException:
                there = self.client.admin_get_user(UserPoolId=self.pool, Username=name)
                if there["UserStatus"] != _INVITED:
                    raise SignedUp from None
                user = there["UserAttributes"]
        return next(str(each["Value"]) for each in user if each["Name"] == "sub")

    def put_in_group(self, tenant: str, canonical_email: str, role: Role) -> None:
        """Make `role` the user's only group."""
        name = username(tenant, canonical_email)
        with translated():
            listed = self.client.admin_list_groups_for_user(UserPoolId=self.pool, Username=name)
            groups = {group["GroupName"] for group in listed["Groups"]}
            for group in groups - {role.value}:
                self.client.admin_remove_user_from_group(UserPoolId=self.pool, Username=name, GroupName=group)
            if role.value not in groups:
                self.client.admin_add_user_to_group(UserPoolId=self.pool, Username=name, GroupName=role.value)

    def remove(self, tenant: str, canonical_email: str) -> None:
        """Delete the user, if there is one: nobody signs in as them from now on."""
        with translated(), suppress(self.client.exceptions.UserNotFoundException):
            self.client.admin_delete_user(UserPoolId=self.pool, Username=username(tenant, canonical_email))


def directory() -> Directory:
    """Return the stack's user pool."""
    return Directory(cognito(), settings().user_pool_id)
