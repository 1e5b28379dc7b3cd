"""Users: a row in the table and a name in the user pool, kept in step by steps that can each be repeated."""

import re
from dataclasses import dataclass

from domain.access import Caller
from domain.commands import Replayed
from domain.email import canonical_email
from domain.errors import EmailTaken, InvalidState, NotFound, PreconditionFailed
from domain.events import Event
from domain.model import to_rfc3339
from domain.pages import Page, PageRequest
from domain.users import NewUser, User, UserPatch, UserStatus
from repositories import keys
from repositories.directory import Directory, SignedUp
from repositories.keys import Position
from repositories.listing import Listing, list_page
from repositories.revocation import revoke
from repositories.rows import Row, new_row
from repositories.session import Session
from repositories.transaction import Refusal, Stale, Transaction

COLLECTION = "USER"
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class UserRepository:
    """The users of the caller's tenant."""

    session: Session
    directory: Directory

    @property
    def caller(self) -> Caller:
        """Whose users they are, and who asks."""
        return self.session.caller

    def create(self, new: NewUser) -> User:
        """Add a user, who is sent an invitation. Raises EmailTaken.

        Pool first: a crash after it leaves a name without a row, who gets no token, and whom the next try adopts.
        """
        tenant, canonical = self.session.tenant, canonical_email(new.email)
        try:
            self.session.replay()
            user = User.new(invited(self.session, self.directory, canonical, new.email), new, self.session.at)
            tx = self.session.transaction()
            add_user(tx, tenant, user, canonical)
            self.session.commit(tx, user, _event("UserCreated", user))
        except Replayed:
            self._put_in_group(canonical)
            raise
        self.directory.put_in_group(tenant, canonical, user.role)
        return user

    def _put_in_group(self, canonical: str) -> None:
        """Do what the first try may not have come to; the user may have changed or gone since."""
        known = self.session.table.get(keys.email(self.session.tenant, canonical))
        if known:
            self.directory.put_in_group(self.session.tenant, canonical, self.get(known["user_id"]).role)

    def get(self, user_id: str) -> User:
        """Return a user. Raises NotFound."""
        return _user(self._row(user_id)["head"])

    def page(self, page: PageRequest) -> Page[User]:
        """Return a page of the users who were not deleted. Raises CursorInvalid."""
        session = self.session
        rows, cursor = list_page(Listing.of_all(session, COLLECTION, _position), page)
        return Page(items=[_user(row["head"]) for row in rows], next_cursor=cursor)

    def by_email(self, email: str) -> Page[User]:
        """Return the user with this address, in any spelling, as a list."""
        marker = self.session.table.get(keys.email(self.session.tenant, canonical_email(email)))
        row = marker and self.session.table.get(keys.user(self.session.tenant, marker["user_id"]))
        return Page(items=[_user(row["head"])] if row else [], next_cursor=None)

    def change(self, user_id: str, patch: UserPatch, expected: frozenset[int] | None) -> User:
        """Change a user. A new role voids tokens that name the old one, on writes at once.

        Raises NotFound, PreconditionFailed, InvalidState for one's own role.
        """
        row = self._row(user_id)
        before = _user(row["head"])
        if expected is not None and before.version not in expected:
            raise PreconditionFailed
        after = before.patched(patch, self.session.at)
        if after.role is not before.role and user_id == self.caller.subject:
            raise InvalidState("Nobody changes their own role.")
        tx = self.session.transaction()
        self._replace(tx, row, after, _changed_meanwhile)
        if after.role is not before.role:
            revoke(tx, self.session.tenant, user_id, self.session.at)
        self.session.commit(tx, after, _event("UserChanged", after))
        if "role" in patch.model_fields_set:
            self.directory.put_in_group(self.session.tenant, row["canonical_email"], after.role)
        return after

    def delete(self, user_id: str) -> None:
        """Erase a user: nothing personal is left, the address is free again. Raises NotFound, InvalidState.

        Pool first, so that nobody whose row is erased can sign in; after a crash between, the next try goes on.
        """
        if user_id == self.caller.subject:
            raise InvalidState("Nobody deletes themself: another owner has to.")
        self.session.decide_again(lambda: self._delete(user_id))

    def _delete(self, user_id: str) -> None:
        row = self._row(user_id)
        user = _user(row["head"])
        if user.status is UserStatus.DELETED:
            return
        canonical = row["canonical_email"]
        self.directory.remove(self.session.tenant, canonical)
        erased = user.erased(self.session.at)
        tx = self.session.transaction()
        self._replace(tx, row, erased, _stale)
        tx.delete_along("free the address", keys.email(self.session.tenant, canonical))
        revoke(tx, self.session.tenant, user_id, self.session.at)
        self.session.commit(tx, erased, _event("UserDeleted", erased))

    def _row(self, user_id: str) -> Row:
        row = self.session.table.get(keys.user(self.session.tenant, user_id)) if _UUID.fullmatch(user_id) else None
        if row is None:
            raise NotFound("user")
        return row

    def _replace(self, tx: Transaction, row: Row, user: User, refusal: Refusal) -> None:
        tx.put(
            "change the user",
            user_row(self.session.tenant, user, row["canonical_email"]),
            condition="version = :seen",
            refusal=refusal,
            seen=row["version"],
        )


def invited(session: Session, directory: Directory, canonical: str, email: str) -> str:
    """Invite somebody whom the table does not know and return the subject. Raises EmailTaken for one whom it knows.

    If the pool knows the name, that is either our own invitation, from before a crash, or somebody who signed up with
    the address and a password of their own: the first is adopted, the second must not be, or whoever it was would sign
    in as the invited.
    """
    try:
        _require_unknown(session, canonical)
        return directory.invite(session.tenant, canonical, email)
    except SignedUp:
        # Perhaps with a profile by now: asked once more before their name is taken away.
        _require_unknown(session, canonical)
        directory.remove(session.tenant, canonical)
        return directory.invite(session.tenant, canonical, email)


def _require_unknown(session: Session, canonical: str) -> None:
    if session.table.get(keys.email(session.tenant, canonical)):
        raise EmailTaken


def add_user(tx: Transaction, tenant: str, user: User, canonical: str) -> None:
    """Add the steps that create a user's row and claim the address."""
    marker = new_row(keys.email(tenant, canonical), "email", user_id=user.id)
    tx.create("claim the address", marker, lambda _row: EmailTaken())
    tx.write_along("add the user", user_row(tenant, user, canonical))


def user_row(tenant: str, user: User, canonical: str) -> Row:
    """Return a user's row; of one who was deleted it is in no list and keeps nothing personal."""
    deleted = user.status is UserStatus.DELETED
    position = Position(to_rfc3339(user.created_at), user.id)
    return new_row(
        keys.user(tenant, user.id),
        "user",
        head=user.model_dump(mode="json"),
        version=user.version,
        canonical_email=None if deleted else canonical,
        **({} if deleted else keys.listed(tenant, COLLECTION, position)),
    )


def _user(head: Row) -> User:
    return User(**head)


def _position(row: Row) -> Position:
    return Position(row["head"]["created_at"], row["head"]["id"])


def _event(kind: str, user: User) -> Event:
    return Event(kind, user.id, user.version, {"role": user.role.value})


def _changed_meanwhile(_row: Row | None) -> Exception:
    return PreconditionFailed()


def _stale(_row: Row | None) -> Exception:
    return Stale()
