"""Inviting people: what the table knows of an address, and what the pool knows of its name, brought to one.

The pool may know a name that the table does not. That is either our own invitation, from before a crash, which is
adopted, or somebody who signed up with the address and a password of their own, who must not be adopted, or whoever it
was would sign in as the invited. Before such a name is taken away the address is claimed in the table, so that no
sign-up can be completed under it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from domain.common.environment import unique
from domain.common.errors import EmailTaken
from domain.identity.users import User, UserStatus
from repositories.dynamodb import keys
from repositories.dynamodb.codec import Row, new_row
from repositories.dynamodb.session import Session
from repositories.dynamodb.transaction import Stale, WriteTransaction
from repositories.identity.user_pool import Gone, SignedUp, UserPool
from repositories.identity.user_rows import user_to_row

CLAIM = timedelta(seconds=60)
"""How long an address stays claimed by an invitation that died: longer than any function may run."""
BARRED = timedelta(hours=1)
"""How long a subject that was taken away gets no profile: far longer than the pool may take to call its triggers."""
_FREE = "attribute_not_exists(pk) OR claimed_until < :now"
_FREE_OR_MINE = f"{_FREE} OR claim = :claim"


class Erased(Exception):
    """The subject is that of a user who was erased: the pool has not caught up."""


def claim_of(session: Session) -> str:
    """Return the claim by which a request, or one that repeats it, takes an address while it invites."""
    return session.command.scope if session.command else unique().hex


def invite(session: Session, user_pool: UserPool, canonical: str, email: str, claim: str) -> str:
    """Invite somebody whom the table does not know, and return their subject.

    Raises EmailTaken for one whom it knows, Stale if table or pool are changing.
    """
    standing = session.table.get(keys.email(session.tenant, canonical))
    if standing and standing.get("claim") != claim and not _lapsed(session, standing):
        raise _taken(standing)
    try:
        return user_pool.invite(session.tenant, canonical, email)
    except SignedUp as stranger:
        _claim(session, canonical, claim)
        _bar(session, stranger.subject)
        user_pool.remove(stranger.subject)
        return _invite_anew(session, user_pool, canonical, email)
    except Gone:
        raise Stale from None


def _invite_anew(session: Session, user_pool: UserPool, canonical: str, email: str) -> str:
    try:
        return user_pool.invite(session.tenant, canonical, email)
    except (SignedUp, Gone):
        raise Stale from None


def _claim(session: Session, canonical: str, claim: str) -> None:
    """Claim an address. Raises EmailTaken, Stale if another invitation has it."""
    until = int((session.at + CLAIM).timestamp())
    row = new_row(keys.email(session.tenant, canonical), "email_claim", claim=claim, claimed_until=until, ttl=until)
    values = {":now": int(session.at.timestamp()), ":claim": claim}
    standing = session.table.put(row, _FREE_OR_MINE, values)
    if standing:
        raise _taken(standing)


def _bar(session: Session, subject: str) -> None:
    """See to it that a subject whose name is taken away gets no profile, should their sign-up be completed later.

    Raises Stale if they have one.
    """
    until = int((session.at + BARRED).timestamp())
    row = new_row(keys.user(session.tenant, subject), "barred", claimed_until=until, ttl=until)
    standing = session.table.put(row, _FREE, {":now": int(session.at.timestamp())})
    if standing and "head" in standing and standing["head"]["status"] != UserStatus.DELETED:
        raise Stale


def _lapsed(session: Session, row: Row) -> bool:
    return "claimed_until" in row and row["claimed_until"] < session.at.timestamp()


def _taken(row: Row | None) -> Exception:
    """Return the error of an address that a user has, or that another invitation claims."""
    return Stale() if row and "claim" in row else EmailTaken()


def add_user(
    tx: WriteTransaction, session: Session, user: User, canonical: str, claim: str = "", scope: str | None = None
) -> None:
    """Add the steps that take the address, which may be claimed for this user, and create the user's row.

    `scope` is that of the command whose answer shows the user. The steps raise EmailTaken, and Stale if another
    invitation claims the address; commit them within `adopting`.
    """
    marker = new_row(keys.email(session.tenant, canonical), "email", user_id=user.id)
    now = int(session.at.timestamp())
    tx.put("claim the address", marker, condition=_FREE_OR_MINE, raises=_taken, now=now, claim=claim or "-")
    row = user_to_row(session.tenant, user, canonical, scope)
    tx.put("add the user", row, condition=_FREE, raises=_there_already, now=now)


def _there_already(row: Row | None) -> Exception:
    if row and "head" not in row:
        return EmailTaken()
    erased = row and row["head"]["status"] == UserStatus.DELETED
    return Erased() if erased else Stale()


@contextmanager
def adopting(user_pool: UserPool, subject: str) -> Iterator[None]:
    """Commit the steps of `add_user` within: a subject that turns out to be erased is removed, and Stale raised."""
    try:
        yield
    except Erased:
        user_pool.remove(subject)
        raise Stale from None
