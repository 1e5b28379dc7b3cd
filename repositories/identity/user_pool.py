"""The user pool: who can sign in. What a person may do stands in the table; groups here follow it.

A user's name in the pool is `tenant/e-mail`, so that one person can be a customer of two shops, and so that creating
the same user again, after a crash between pool and table, finds the first one. A user who is there is addressed by
subject, not by name: a name may have passed to another user since. Cognito takes the subject of a local user wherever
it takes a name, in a pool where names are no aliases (API reference, AdminDeleteUser).
"""

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from domain.identity.permissions import Role
from repositories.aws.clients import cognito
from repositories.aws.errors import mapped_to_domain
from repositories.aws.settings import settings

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient

TENANT_ATTRIBUTE = "custom:tenant_id"
_INVITED = "FORCE_CHANGE_PASSWORD"
"""Of a user who was invited and has not signed in yet."""


class SignedUp(Exception):
    """Somebody signed up under this name by themself."""

    def __init__(self, subject: str) -> None:
        super().__init__()
        self.subject = subject


class Gone(Exception):
    """A user whose name was there is there no longer: ask again."""


def username(tenant: str, canonical_email: str) -> str:
    """Return a user's name in the pool."""
    return f"{tenant}/{canonical_email}"


def tenant_of(name: str) -> str:
    """Return the tenant of a user's name in the pool."""
    return name.partition("/")[0]


@dataclass(frozen=True, slots=True)
class UserPool:
    """The user pool. Every method can be repeated."""

    client: "CognitoIdentityProviderClient"
    pool: str

    def invite(self, tenant: str, canonical_email: str, email: str) -> str:
        """Create a user, who is sent an invitation, and return the subject; of one who was invited before, just that.

        Raises SignedUp for one who came by themself, Gone for one who was removed meanwhile.
        """
        name = username(tenant, canonical_email)
        with mapped_to_domain():
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
                try:
                    there = self.client.admin_get_user(UserPoolId=self.pool, Username=name)
                except self.client.exceptions.UserNotFoundException:
                    raise Gone from None
                user = there["UserAttributes"]
                if there["UserStatus"] != _INVITED:
                    raise SignedUp(_subject(user)) from None
        return _subject(user)

    def put_in_group(self, subject: str, role: Role) -> None:
        """Make `role` the user's only group; nothing to do for a user who is gone."""
        with mapped_to_domain(), suppress(self.client.exceptions.UserNotFoundException):
            listed = self.client.admin_list_groups_for_user(UserPoolId=self.pool, Username=subject)
            groups = {group["GroupName"] for group in listed["Groups"]}
            for group in groups - {role.value}:
                self.client.admin_remove_user_from_group(UserPoolId=self.pool, Username=subject, GroupName=group)
            if role.value not in groups:
                self.client.admin_add_user_to_group(UserPoolId=self.pool, Username=subject, GroupName=role.value)

    def remove(self, subject: str) -> None:
        """Delete the user, if there is one: nobody signs in as them from now on."""
        with mapped_to_domain(), suppress(self.client.exceptions.UserNotFoundException):
            self.client.admin_delete_user(UserPoolId=self.pool, Username=subject)


def _subject(attributes: Any) -> str:
    return next(str(each["Value"]) for each in attributes if each["Name"] == "sub")


def user_pool() -> UserPool:
    """Return the stack's user pool."""
    return UserPool(cognito(), settings().user_pool_id)
