"""Users: a row in the table and a name in the user pool, kept consistent by idempotent steps."""

from dataclasses import dataclass

from domain.common.errors import InvalidState, NotFound, PreconditionFailed
from domain.common.ids import is_user_id
from domain.common.pages import Page, PageRequest
from domain.identity.email import canonical_email
from domain.identity.permissions import Caller, Role
from domain.identity.users import NewUser, User, UserPatch, UserStatus
from repositories.dynamodb import idempotency, keys
from repositories.dynamodb.codec import Row
from repositories.dynamodb.iam_actions import GROUP_CHANGE, INVITATION, IamAction, uses
from repositories.dynamodb.idempotency import Replayed
from repositories.dynamodb.session import Session, retry_on_conflict
from repositories.dynamodb.token_revocation import revoke
from repositories.dynamodb.transaction import Stale, WriteTransaction
from repositories.identity.invitations import add_user, adopting, claim_of, invite
from repositories.identity.user_pool import UserPool
from repositories.identity.user_rows import COLLECTION, user_event, user_from_row, user_to_row
from repositories.paging.lists import Listing, list_page


@dataclass(frozen=True, slots=True)
class UserRepository:
    """The users of the caller's tenant."""

    session: Session
    user_pool: UserPool

    @property
    def caller(self) -> Caller:
        """The caller of the request; the users are those of the caller's tenant."""
        return self.session.caller

    @uses(IamAction.GET, IamAction.PUT, IamAction.CHECK, *INVITATION, *GROUP_CHANGE)
    def create(self, new: NewUser) -> User:
        """Add a user and send an invitation. Raises EmailTaken, Contention.

        Raises Unauthorized if the caller's own token is revoked before an owner is added. The user pool is written
        first: a crash after it leaves a name without a row, which gets no token, and which the next attempt adopts.
        """
        return self._create(new, claim_of(self.session))

    @retry_on_conflict
    def _create(self, new: NewUser, claim: str) -> User:
        canonical = canonical_email(new.email)
        try:
            self.session.record.replay()
            subject = invite(self.session, self.user_pool, canonical, new.email, claim)
            user = User.new(subject, new, self.session.at)
            tx = self.session.transaction()
            if user.role is Role.OWNER:
                self.session.check_token(tx)
            command = self.session.command
            add_user(tx, self.session, user, canonical, claim, command.scope if command else None)
            with adopting(self.user_pool, user.id):
                self.session.commit(tx, user, user_event("UserCreated", user))
        except Replayed:
            self._put_in_group(canonical)
            raise
        self.user_pool.put_in_group(user.id, user.role)
        return user

    def _put_in_group(self, canonical: str) -> None:
        """Set the user's group, which an earlier attempt may have left undone; the user may have changed since."""
        known = self.session.table.get(keys.email(self.session.tenant, canonical))
        if known and "user_id" in known:
            user = self.get(known["user_id"])
            self.user_pool.put_in_group(user.id, user.role)

    @uses(IamAction.GET)
    @retry_on_conflict
    def get(self, user_id: str) -> User:
        """Return a user. Raises NotFound, Contention."""
        return user_from_row(self._row(user_id))

    @uses(IamAction.LIST)
    def page(self, page: PageRequest) -> Page[User]:
        """Return a page of the users who are not deleted. Raises CursorInvalid."""
        session = self.session
        rows, cursor = list_page(Listing.of_all(session, COLLECTION), page)
        return Page(items=[user_from_row(row) for row in rows], next_cursor=cursor)

    @uses(IamAction.GET)
    def by_email(self, email: str, page: PageRequest) -> Page[User]:
        """Return a page with the user of this address, in any spelling, or an empty page. Raises CursorInvalid."""
        page.require_first()
        canonical = canonical_email(email)
        marker = self.session.table.get(keys.email(self.session.tenant, canonical)) or {}
        user_id = marker.get("user_id")
        row = user_id and self.session.table.get(keys.user(self.session.tenant, user_id))
        # The user may have been erased between the two reads.
        return Page(items=[user_from_row(row)] if row and row["canonical_email"] == canonical else [], next_cursor=None)

    @uses(IamAction.GET, IamAction.PUT, IamAction.CHECK, *GROUP_CHANGE)
    @retry_on_conflict
    def change(self, user_id: str, patch: UserPatch, expected: frozenset[int] | None) -> User:
        """Change a user. A new role revokes tokens with the old one; routes that write reject them at once.

        Raises NotFound, PreconditionFailed, ValidationFailed, InvalidState for the caller's own role, Contention, and
        Unauthorized if the caller's own token is revoked before a new role is given.
        """
        row = self._row(user_id)
        before = user_from_row(row)
        if expected is not None and before.version not in expected:
            raise PreconditionFailed
        after = before.patched(patch, self.session.at)
        if after.role is not before.role and user_id == self.caller.subject:
            raise InvalidState("You cannot change your own role.")
        tx = self.session.transaction()
        if after.role is not before.role:
            self.session.check_token(tx)
            revoke(tx, self.session.tenant, user_id, self.session.at)
        self._replace(tx, row, after, Stale() if expected is None else PreconditionFailed())
        self.session.commit(tx, after, user_event("UserChanged", after))
        if "role" in patch.model_fields_set:
            self.user_pool.put_in_group(user_id, after.role)
        return after

    @uses(IamAction.GET, IamAction.PUT, IamAction.UPDATE, IamAction.DELETE, IamAction.CHECK, IamAction.REMOVE_USER)
    def delete(self, user_id: str) -> None:
        """Erase a user: remove all personal data and free the address.

        Raises NotFound, InvalidState for the caller, Contention, and Unauthorized if the caller's own token is revoked
        first. The table is written first: no token is made from an erased row. After a crash before the user pool is
        written, a retry completes the erasure.
        """
        if user_id == self.caller.subject:
            raise InvalidState("You cannot delete yourself; another owner can.")
        self._erase(user_id)
        self.user_pool.remove(user_id)

    @retry_on_conflict
    def _erase(self, user_id: str) -> None:
        row = self._row(user_id)
        user = user_from_row(row)
        if user.status is UserStatus.DELETED:
            return
        erased = user.erased(self.session.at)
        tx = self.session.transaction()
        self.session.check_token(tx)
        self._replace(tx, row, erased, Stale())
        tx.delete("free the address", keys.email(self.session.tenant, row["canonical_email"]))
        revoke(tx, self.session.tenant, user_id, self.session.at)
        self._erase_answer(tx, row, erased)
        self.session.commit(tx, erased, user_event("UserDeleted", erased))

    def _erase_answer(self, tx: WriteTransaction, row: Row, erased: User) -> None:
        """Add the step that erases personal data from the stored response to the command that created the user."""
        if not row.get("scope"):
            return
        key = keys.idempotency(self.session.tenant, row["scope"])
        record = self.session.find(key)
        if record and idempotency.created(record, erased.id):
            idempotency.replace_body(tx, key, record, erased)

    def _row(self, user_id: str) -> Row:
        row = self.session.find(keys.user(self.session.tenant, user_id)) if is_user_id(user_id) else None
        if row is None or row["type"] != "user":
            raise NotFound("user")
        return row

    def _replace(self, tx: WriteTransaction, row: Row, user: User, raises: Exception) -> None:
        tx.put(
            "change the user",
            user_to_row(self.session.tenant, user, row["canonical_email"], row.get("scope")),
            condition="version = :seen",
            raises=raises,
            seen=row["version"],
        )
