"""The user pool: who can sign in. What a person may do stands in the table; groups here follow it.

A user's name in the pool is `tenant/e-mail`, so that one person can be a customer of two shops, and so that creating
the same user again, after a crash between pool and table, finds the first one.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from domain.access import Role
from domain.errors import Unavailable
from repositories.clients import cognito
from repositories.settings import settings

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient
    from mypy_boto3_cognito_idp.type_defs import AttributeTypeTypeDef

TENANT_ATTRIBUTE = "custom:tenant_id"
_INVITED = "FORCE_CHANGE_PASSWORD"
"""Of a user who was invited and has not signed in yet."""


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
        """Create a user, who is sent an invitation, and return the subject.

        To be called only while the table knows nobody by this address. If the pool does, that is either our own
        invitation, from before a crash, or somebody who signed up with the address and a password of their own: the
        first is adopted, the second must not be, or whoever it was would sign in as the invited.
        """
        name = username(tenant, canonical_email)
        with _translated():
            try:
                return self._create(name, tenant, email)
            except self.client.exceptions.UsernameExistsException:
                there = self.client.admin_get_user(UserPoolId=self.pool, Username=name)
            if there["UserStatus"] == _INVITED:
                return _subject_in(there["UserAttributes"])
            self.client.admin_delete_user(UserPoolId=self.pool, Username=name)
            return self._create(name, tenant, email)

    def _create(self, name: str, tenant: str, email: str) -> str:
        created = self.client.admin_create_user(
            UserPoolId=self.pool,
            Username=name,
            UserAttributes=[
                {"Name": "email", "Value": email},
                {"Name": "email_verified", "Value": "true"},
                {"Name": TENANT_ATTRIBUTE, "Value": tenant},
            ],
            DesiredDeliveryMediums=["EMAIL"],
        )
        return _subject_in(created["User"]["Attributes"])

    def put_in_group(self, tenant: str, canonical_email: str, role: Role) -> None:
        """Make `role` the user's only group."""
        name = username(tenant, canonical_email)
        with _translated():
            listed = self.client.admin_list_groups_for_user(UserPoolId=self.pool, Username=name)
            groups = {group["GroupName"] for group in listed["Groups"]}
            for group in groups - {role.value}:
                self.client.admin_remove_user_from_group(UserPoolId=self.pool, Username=name, GroupName=group)
            if role.value not in groups:
                self.client.admin_add_user_to_group(UserPoolId=self.pool, Username=name, GroupName=role.value)

    def remove(self, tenant: str, canonical_email: str) -> None:
        """Delete the user, if there is one: nobody signs in as them from now on."""
        with _translated(), suppress(self.client.exceptions.UserNotFoundException):
            self.client.admin_delete_user(UserPoolId=self.pool, Username=username(tenant, canonical_email))


@contextmanager
def _translated() -> Iterator[None]:
    """Turn what the pool fails with into Unavailable: whatever it is, the command can be sent again."""
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise Unavailable from error


def _subject_in(attributes: "Sequence[AttributeTypeTypeDef]") -> str:
    return next(each["Value"] for each in attributes if each["Name"] == "sub")


def directory() -> Directory:
    """Return the stack's user pool."""
    return Directory(cognito(), settings().user_pool_id)
