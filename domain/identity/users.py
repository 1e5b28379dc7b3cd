"""People of a tenant."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Self

from pydantic import BeforeValidator, Field

from domain.common.errors import Forbidden, NotFound
from domain.common.merge_patch import merge_patch
from domain.common.model import Model, Timestamp
from domain.common.validation import validated
from domain.identity.email import EmailAddress
from domain.identity.permissions import Role
from domain.identity.tenants import PersonName


def _is_granted(role: object) -> object:
    if isinstance(role, str) and role not in set(Role):
        raise Forbidden("Nobody can be given this role.")
    return role


AnyRole = Annotated[Role, BeforeValidator(_is_granted)]
Phone = Annotated[str, Field(pattern=r"^\+[1-9][0-9]{6,14}$", examples=["+4930123456"])]
"""A telephone number in the form of E.164."""


class UserStatus(StrEnum):
    """Whether a person can sign in."""

    ACTIVE = "active"
    DELETED = "deleted"


class NewUser(Model):
    """A new user, who is sent an invitation."""

    email: EmailAddress
    name: PersonName
    role: AnyRole
    phone: Phone | None = None


class UserFields(Model):
    """What can be changed of a user."""

    name: PersonName
    phone: Phone | None = None
    role: AnyRole


class UserPatch(Model):
    """A JSON merge patch (RFC 7396) of a user: a field left out stays, null removes."""

    name: PersonName = ""
    phone: Phone | None = None
    role: AnyRole = Role.CUSTOMER


class User(Model):
    """A person of a tenant. Of one who was deleted nothing personal is left."""

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
        """Return the user after a change. Raises NotFound for one who was deleted, ValidationFailed."""
        if self.status is UserStatus.DELETED:
            raise NotFound("user")
        current = self.model_dump(mode="json", include=set(UserFields.model_fields))
        merged = validated(UserFields, merge_patch(current, patch.model_dump(mode="json", exclude_unset=True)))
        changes = {name: getattr(merged, name) for name in UserFields.model_fields}
        return self.model_copy(update=changes | {"version": self.version + 1, "updated_at": at})

    def erased(self, at: datetime) -> "User":
        """Return what is left of a user who is deleted."""
        gone = {"email": None, "name": None, "phone": None, "status": UserStatus.DELETED}
        return self.model_copy(update=gone | {"version": self.version + 1, "updated_at": at})
