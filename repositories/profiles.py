"""Users as the pool's triggers see them: nobody calls yet, so the pool says which tenant and which subject."""

import time

from domain.access import Caller, Role
from domain.email import canonical_email
from domain.errors import EmailTaken, Forbidden
from domain.events import Event
from domain.model import now
from domain.users import NewUser, User
from repositories import keys
from repositories.clients import dynamodb
from repositories.directory import username
from repositories.session import Session
from repositories.settings import settings
from repositories.table import Meter, Table
from repositories.tenants import find_tenant
from repositories.users import add_user

_SECONDS = 4.0
"""Cognito waits five seconds for a trigger."""


def find_profile(tenant: str, subject: str) -> User | None:
    """Return the user's profile, or None."""
    row = _table().get(keys.user(tenant, subject))
    return User(**row["head"]) if row else None


def sign_up(tenant_id: str, name: str, subject: str, email: str, called: str | None) -> User:
    """Add a customer who signed up, once, and return the profile. Raises Forbidden where that is not allowed."""
    table, canonical = _table(), canonical_email(email)
    tenant = find_tenant(table, tenant_id)
    if tenant is None or not tenant.settings.allow_sign_up or name != username(tenant_id, canonical):
        raise Forbidden("This shop does not take sign-ups.")
    there = find_profile(tenant_id, subject)
    if there:
        return there
    new = NewUser(email=email, name=called or canonical.partition("@")[0], role=Role.CUSTOMER)
    session = Session(table, Caller(tenant_id, subject, Role.CUSTOMER), now(), time.monotonic() + _SECONDS)
    user = User.new(subject, new, session.at)
    tx = session.transaction()
    add_user(tx, tenant_id, user, canonical)
    try:
        session.commit(tx, user, Event("UserCreated", user.id, 1, {"role": user.role.value}))
    except EmailTaken:
        raise Forbidden("This e-mail address is taken.") from None
    return user


def _table() -> Table:
    return Table(dynamodb(), settings().table_name, Meter())
