"""Rows of users."""

from domain.common.events import DomainEvent
from domain.common.model import to_rfc3339
from domain.identity.users import User, UserStatus
from repositories.dynamodb import keys
from repositories.dynamodb.codec import Row, new_row
from repositories.dynamodb.keys import Position

COLLECTION = "USER"


def user_to_row(tenant: str, user: User, canonical: str, scope: str | None) -> Row:
    """Return the row of a user. The row of a deleted user is in no list and has no personal data.

    `scope` is that of the command that created the user. Its idempotency record has a response with the user's data.
    """
    deleted = user.status is UserStatus.DELETED
    at = Position(to_rfc3339(user.created_at), user.id)
    listed = {} if deleted else keys.listed(tenant, COLLECTION, at)
    return new_row(
        keys.user(tenant, user.id),
        "user",
        head=user.model_dump(mode="json"),
        version=user.version,
        canonical_email=None if deleted else canonical,
        scope=None if deleted else scope,
        **listed,
    )


def user_event(kind: str, user: User) -> DomainEvent:
    """Return the event for a change of a user. Its sequence number is the user's version."""
    return DomainEvent(kind, user.id, user.version, {"role": user.role.value}, user.updated_at)


def user_from_row(row: Row) -> User:
    """Return the user of a row."""
    return User(**row["head"])
