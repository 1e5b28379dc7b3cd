"""Users of a tenant."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Self

from pydantic import MISSING, BeforeValidator, Field

from domain.common.errors import Forbidden, NotFound
from domain.common.merge_patch import patched
from domain.common.model import Model, Timestamp
from domain.identity.email import EmailAddress
from domain.identity.permissions import Role
from domain.identity.tenants import PersonName


def _is_granted(role: object) -> object:
    if isinstance(role, str) and role not in set(Role):
        raise Forbidden("This role cannot be given.")
    return role


AnyRole = Annotated[Role, BeforeValidator(_is_granted)]
Phone = Annotated[str, Field(pattern=r"^\+[1-9][0-9]{6,14}$", examples=["+4930123456"])]
"""Telephone number in E.164 format."""


class UserStatus(StrEnum):
    """Status of a user. A deleted user cannot sign in."""

    ACTIVE = "active"
    DELETED = "deleted"


class NewUser(Model):
    """A new user. The user is sent an invitation by e-mail."""

    email: EmailAddress
    name: PersonName
    role: AnyRole
    phone: Phone | None = None


class UserFields(Model):
    """Fields of a user that can be changed."""

    name: PersonName
    phone: Phone | None = None
    role: AnyRole


class UserPatch(Model):
    """A JSON merge patch (RFC 7396) of a user. Fields left out are unchanged; null removes a value."""

    name: PersonName | MISSING = MISSING
    phone: Phone | MISSING | None = MISSING
    role: AnyRole | MISSING = MISSING


class User(Model):
    """A user of a tenant. The e-mail address, name and phone of a deleted user are null."""

    id: str = Field(examples=["0b54c9a6-4e0c-4c7e-9c57-6ad3c1b0f7a1"])
    email: str | None
    name: str | None
    phone: str | None
    role: Role
    status: UserStatus
    version: int
    created_at: Timestamp
    updated_at: Timestamp

    @classmethod
    def new(cls, user_id: str, fields: NewUser, at: datetime) -> Self:
        """Return the first version of a user."""
        return cls(
            id=user_id,
            **fields.model_dump(),
            status=UserStatus.ACTIVE,
            version=1,
            created_at=at,
            updated_at=at,
        )

    def patched(self, patch: UserPatch, at: datetime) -> "User":
        """Return the user's next version, with `patch` applied. Raises ValidationFailed, or NotFound if deleted."""
        if self.status is UserStatus.DELETED:
            raise NotFound("user")
        changes = dict(patched(self, UserFields, patch))
        return self.model_copy(update=changes | {"version": self.version + 1, "updated_at": max(at, self.updated_at)})

    def erased(self, at: datetime) -> "User":
        """Return the deleted user, without personal data."""
        gone = {"email": None, "name": None, "phone": None, "status": UserStatus.DELETED}
        return self.model_copy(update=gone | {"version": self.version + 1, "updated_at": max(at, self.updated_at)})
