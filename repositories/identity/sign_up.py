"""Sign-up and profiles for the user pool's triggers. There is no caller yet: the pool supplies tenant and subject."""

import re

from domain.common.environment import monotonic, now
from domain.common.errors import Contention, EmailTaken, Forbidden
from domain.identity.email import canonical_email
from domain.identity.permissions import Caller, Role
from domain.identity.users import NewUser, User
from repositories.aws.clients import dynamodb
from repositories.aws.settings import settings
from repositories.dynamodb import keys
from repositories.dynamodb.iam_actions import IamAction, uses
from repositories.dynamodb.session import Session
from repositories.dynamodb.table import Meter, Table
from repositories.dynamodb.transaction import Stale
from repositories.identity.invitations import Erased, add_user
from repositories.identity.tenants import find_tenant
from repositories.identity.user_pool import TENANT_ATTRIBUTE, tenant_of, username
from repositories.identity.user_rows import user_event, user_from_row

_NOT_IN_NAMES = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_SECONDS = 4.0
"""Timeout of a sign-up in seconds. Cognito waits five seconds for a trigger."""


@uses(IamAction.GET)
def find_profile(tenant: str, subject: str) -> User | None:
    """Return a user's profile, or None."""
    row = _table().get(keys.user(tenant, subject))
    return user_from_row(row) if row and row["type"] == "user" else None


@uses(IamAction.GET)
def require_sign_up(tenant_id: str, name: str, email: str) -> None:
    """Raise Forbidden unless the tenant allows sign-up and `name` is the user pool's name for this address."""
    tenant = find_tenant(_table(), tenant_id)
    if tenant is None or not tenant.settings.allow_sign_up or name != username(tenant_id, canonical_email(email)):
        raise Forbidden("This shop does not take sign-ups.")


@uses(IamAction.GET, IamAction.PUT)
def sign_up(name: str, attributes: dict[str, str]) -> User:
    """Add a customer who signed up, unless that was done before, and return the profile.

    `name` and `attributes` are those in the user pool. Raises Forbidden if sign-up is not allowed or the address is
    taken, and Contention.
    """
    tenant, subject, email = tenant_of(name), attributes["sub"], attributes["email"]
    require_sign_up(tenant, name, email)
    canonical = canonical_email(email)
    called = _NOT_IN_NAMES.sub(" ", attributes.get("name", "")).strip()[:200] or canonical.partition("@")[0]
    new = NewUser(email=email, name=called, role=Role.CUSTOMER)
    session = Session(_table(), Caller(tenant, subject, Role.CUSTOMER), now(), monotonic() + _SECONDS)
    user = User.new(subject, new, session.at)
    return session.retry_on_conflict(lambda: _add_profile(session, user, canonical))


def _add_profile(session: Session, user: User, canonical: str) -> User:
    there = find_profile(session.tenant, user.id)
    if there:
        return there
    tx = session.transaction()
    add_user(tx, session, user, canonical)
    try:
        session.commit(tx, user, user_event("UserCreated", user))
    except Erased:
        raise Stale from None
    except EmailTaken:
        there = find_profile(session.tenant, user.id)
        if there:
            return there
        raise Forbidden("This e-mail address is taken.") from None
    return user


@uses(IamAction.GET, IamAction.PUT)
def late_sign_up(name: str, attributes: dict[str, str]) -> User | None:
    """Return the profile of a user who confirmed their sign-up when it could not be created, or None for others.

    Cognito confirms a user before it calls the trigger, and does not call it again. Invited users have the attribute
    with their tenant.
    """
    invited = TENANT_ATTRIBUTE in attributes
    confirmed = attributes.get("cognito:user_status") == "CONFIRMED" and attributes.get("email_verified") == "true"
    if invited or not confirmed:
        return None
    try:
        return sign_up(name, attributes)
    except (Forbidden, Contention):
        return None


def _table() -> Table:
    return Table(dynamodb(), settings().table_name, Meter())
