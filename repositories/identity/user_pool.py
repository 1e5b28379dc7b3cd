"""The user pool, which decides who can sign in. Roles are kept in the table; the groups in the pool follow them.

A user's name in the pool is `tenant/e-mail`, so that one person can be a customer of two shops, and so that creating
the same user again, after a crash between pool and table, finds the first one. An existing user is addressed by
subject, not by name: a name may have passed to another user since. Cognito accepts the subject of a local user wherever
it takes a username, in a pool where usernames are no aliases (API reference, AdminDeleteUser).
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
"""Status of an invited user who has not signed in yet."""


class SignedUp(Exception):
    """The name belongs to a user with a password of their own, normally from a sign-up without an invitation."""

    def __init__(self, subject: str) -> None:
        super().__init__()
        self.subject = subject


class Gone(Exception):
    """The user of an existing name has been removed since; retry."""


def username(tenant: str, canonical_email: str) -> str:
    """Return the name of a user in the user pool."""
    return f"{tenant}/{canonical_email}"


def tenant_of(name: str) -> str:
    """Return the tenant in a name of the user pool."""
    return name.partition("/")[0]


@dataclass(frozen=True, slots=True)
class UserPool:
    """The user pool. Every method is idempotent."""

    client: "CognitoIdentityProviderClient"
    pool: str

    def invite(self, tenant: str, canonical_email: str, email: str) -> str:
        """Create a user, send an invitation and return the subject; for an earlier invitation, only return the subject.

        Raises SignedUp for a user with a password of their own, Gone for one who has just been removed.
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
        """Make `role` the user's only group. Does nothing for a user who does not exist."""
        with mapped_to_domain(), suppress(self.client.exceptions.UserNotFoundException):
            listed = self.client.admin_list_groups_for_user(UserPoolId=self.pool, Username=subject)
            groups = {group["GroupName"] for group in listed["Groups"]}
            for group in groups - {role.value}:
                self.client.admin_remove_user_from_group(UserPoolId=self.pool, Username=subject, GroupName=group)
            if role.value not in groups:
                self.client.admin_add_user_to_group(UserPoolId=self.pool, Username=subject, GroupName=role.value)

    def remove(self, subject: str) -> None:
        """Delete the user, if there is one, so that they can no longer sign in."""
        with mapped_to_domain(), suppress(self.client.exceptions.UserNotFoundException):
            self.client.admin_delete_user(UserPoolId=self.pool, Username=subject)


def _subject(attributes: Any) -> str:
    return next(str(each["Value"]) for each in attributes if each["Name"] == "sub")


def user_pool() -> UserPool:
    """Return the stack's user pool."""
    return UserPool(cognito(), settings().user_pool_id)
