"""Invitations of users: keep an address in the table and its name in the user pool consistent.

The user pool may have a name that the table does not. It is either an earlier invitation, from before a crash, which is
adopted; or a sign-up with this address and a password of its own, which must not be adopted, as that person could then
sign in as the invited user. Before such a name is removed, the address is claimed in the table, so that no sign-up can
be completed under it.
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
"""Lifetime of an invitation's claim on an address, which a crash may leave: longer than any function may run."""
BARRED = timedelta(hours=1)
"""Time in which a removed subject gets no profile: far longer than the user pool may take to call its triggers."""
_FREE = "attribute_not_exists(pk) OR claimed_until < :now"
_FREE_OR_MINE = f"{_FREE} OR claim = :claim"


class Erased(Exception):
    """The subject belongs to an erased user, who is still in the user pool."""


def claim_of(session: Session) -> str:
    """Return the id under which a request, or a retry with the same Idempotency-Key, claims an address."""
    return session.command.scope if session.command else unique().hex


def invite(session: Session, user_pool: UserPool, canonical: str, email: str, claim: str) -> str:
    """Invite a user who is not in the table, and return their subject.

    Raises EmailTaken for one who is, Stale if the table or the user pool is changing.
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
    """Claim an address. Raises EmailTaken, or Stale if another invitation has claimed it."""
    until = int((session.at + CLAIM).timestamp())
    row = new_row(keys.email(session.tenant, canonical), "email_claim", claim=claim, claimed_until=until, ttl=until)
    values = {":now": int(session.at.timestamp()), ":claim": claim}
    standing = session.table.put(row, _FREE_OR_MINE, values)
    if standing:
        raise _taken(standing)


def _bar(session: Session, subject: str) -> None:
    """Ensure that a subject that is being removed gets no profile if their sign-up is completed later.

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
    """Return the error to raise for an address that a user has, or that another invitation has claimed."""
    return Stale() if row and "claim" in row else EmailTaken()


def add_user(
    tx: WriteTransaction, session: Session, user: User, canonical: str, claim: str = "", scope: str | None = None
) -> None:
    """Add the steps that take the address, which may be claimed for this user, and create the user's row.

    `scope` is that of the command with the response that shows the user. The steps raise EmailTaken, Erased, and Stale
    if another invitation has claimed the address or the user exists; commit them within `adopting`, or handle Erased.
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
    """Handle Erased in a commit of the steps of `add_user`: remove the subject from the user pool and raise Stale."""
    try:
        yield
    except Erased:
        user_pool.remove(subject)
        raise Stale from None
