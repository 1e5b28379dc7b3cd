"""Users: a row in the table and a name in the user pool, kept in step by steps that can each be repeated."""

import re
from dataclasses import dataclass

from domain.common.commands import Replayed
from domain.common.errors import InvalidState, NotFound, PreconditionFailed
from domain.common.pages import Page, PageRequest
from domain.identity.email import canonical_email
from domain.identity.permissions import Caller, Role
from domain.identity.users import NewUser, User, UserPatch, UserStatus
from repositories.dynamodb import idempotency, keys
from repositories.dynamodb.codec import Row
from repositories.dynamodb.session import Session
from repositories.dynamodb.token_revocation import revoke
from repositories.dynamodb.transaction import Refusal, Stale, Transaction, changed_since_read, require_absent
from repositories.identity.invitations import add_user, adopting, claim_of, invite
from repositories.identity.user_pool import Directory
from repositories.identity.user_rows import COLLECTION, position, user_event, user_of, user_row
from repositories.paging.lists import Listing, list_page

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
        """Add a user, who is sent an invitation. Raises EmailTaken, Contention.

        Raises Unauthorized if the caller's own token is voided before an owner is added. Pool first: a crash after it
        leaves a name without a row, who gets no token, and whom the next try adopts.
        """
        claim = claim_of(self.session)
        return self.session.decide_again(lambda: self._create(new, claim))

    def _create(self, new: NewUser, claim: str) -> User:
        canonical = canonical_email(new.email)
        try:
            self.session.replay()
            subject = invite(self.session, self.directory, canonical, new.email, claim)
            user = User.new(subject, new, self.session.at)
            tx = self.session.transaction()
            if user.role is Role.OWNER:
                self.session.check_token(tx)
            command = self.session.command
            add_user(tx, self.session, user, canonical, claim, command.scope if command else None)
            with adopting(self.directory, user.id):
                self.session.commit(tx, user, user_event("UserCreated", user))
        except Replayed:
            self._put_in_group(canonical)
            raise
        self.directory.put_in_group(user.id, user.role)
        return user

    def _put_in_group(self, canonical: str) -> None:
        """Do what the first try may not have come to; the user may have changed or gone since."""
        known = self.session.table.get(keys.email(self.session.tenant, canonical))
        if known and "user_id" in known:
            user = self.get(known["user_id"])
            self.directory.put_in_group(user.id, user.role)

    def get(self, user_id: str) -> User:
        """Return a user. Raises NotFound, Contention."""
        return self.session.decide_again(lambda: user_of(self._row(user_id)))

    def page(self, page: PageRequest) -> Page[User]:
        """Return a page of the users who were not deleted. Raises CursorInvalid."""
        session = self.session
        rows, cursor = list_page(Listing.of_all(session, COLLECTION, position), page)
        return Page(items=[user_of(row) for row in rows], next_cursor=cursor)

    def by_email(self, email: str) -> Page[User]:
        """Return the user with this address, in any spelling, as a list."""
        canonical = canonical_email(email)
        marker = self.session.table.get(keys.email(self.session.tenant, canonical))
        known = marker and "user_id" in marker
        row = self.session.table.get(keys.user(self.session.tenant, marker["user_id"])) if marker and known else None
        # Between the two reads the user may have been erased.
        return Page(items=[user_of(row)] if row and row["canonical_email"] == canonical else [], next_cursor=None)

    def change(self, user_id: str, patch: UserPatch, expected: frozenset[int] | None) -> User:
        """Change a user. A new role voids tokens that name the old one, on writes at once.

        Raises NotFound, PreconditionFailed, InvalidState for one's own role, Contention, and Unauthorized if the
        caller's own token is voided before a new role is given.
        """
        return self.session.decide_again(lambda: self._change(user_id, patch, expected))

    def _change(self, user_id: str, patch: UserPatch, expected: frozenset[int] | None) -> User:
        row = self._row(user_id)
        before = user_of(row)
        if expected is not None and before.version not in expected:
            raise PreconditionFailed
        after = before.patched(patch, self.session.at)
        if after.role is not before.role and user_id == self.caller.subject:
            raise InvalidState("Nobody changes their own role.")
        tx = self.session.transaction()
        if after.role is not before.role:
            self.session.check_token(tx)
            revoke(tx, self.session.tenant, user_id, self.session.at)
        self._replace(tx, row, after, Stale.because if expected is None else changed_since_read)
        self.session.commit(tx, after, user_event("UserChanged", after))
        if "role" in patch.model_fields_set:
            self.directory.put_in_group(user_id, after.role)
        return after

    def delete(self, user_id: str) -> None:
        """Erase a user: nothing personal is left, the address is free again.

        Raises NotFound, InvalidState, Contention, and Unauthorized if the caller's own token is voided before.
        Table first: no token is made from an erased row. After a crash before the pool's turn, the next try goes on.
        """
        if user_id == self.caller.subject:
            raise InvalidState("Nobody deletes themself: another owner has to.")
        self.session.decide_again(lambda: self._erase(user_id))
        self.directory.remove(user_id)

    def _erase(self, user_id: str) -> None:
        row = self._row(user_id)
        user = user_of(row)
        if user.status is UserStatus.DELETED:
            return
        erased = user.erased(self.session.at)
        tx = self.session.transaction()
        self.session.check_token(tx)
        self._replace(tx, row, erased, Stale.because)
        tx.delete_along("free the address", keys.email(self.session.tenant, row["canonical_email"]))
        revoke(tx, self.session.tenant, user_id, self.session.at)
        self._erase_answer(tx, row, erased)
        self.session.commit(tx, erased, user_event("UserDeleted", erased))

    def _erase_answer(self, tx: Transaction, row: Row, erased: User) -> None:
        """Add the step that leaves nothing personal in the answer to the command that created the user."""
        if not row.get("scope"):
            return
        key = keys.idempotency(self.session.tenant, row["scope"])
        record = self.session.table.get(key)
        if record is None:
            require_absent(self.session.table, [key])
        elif idempotency.shows(record, erased.id):
            idempotency.overwrite(tx, key, record, erased)

    def _row(self, user_id: str) -> Row:
        wanted = [keys.user(self.session.tenant, user_id)] if _UUID.fullmatch(user_id) else []
        row = self.session.table.get(wanted[0]) if wanted else None
        if row is None:
            require_absent(self.session.table, wanted)
        if row is None or row["type"] != "user":
            raise NotFound("user")
        return row

    def _replace(self, tx: Transaction, row: Row, user: User, refusal: Refusal) -> None:
        tx.put(
            "change the user",
            user_row(self.session.tenant, user, row["canonical_email"], row.get("scope")),
            condition="version = :seen",
            refusal=refusal,
            seen=row["version"],
        )
