"""Tenants, managed by operators; sign-up reads them too."""

from dataclasses import dataclass

from domain.common.errors import InvalidState, NotFound, PreconditionFailed
from domain.common.events import DomainEvent
from domain.common.model import to_rfc3339
from domain.common.pages import Page, PageRequest
from domain.identity.email import canonical_email
from domain.identity.permissions import Role
from domain.identity.tenants import NewTenant, Tenant, TenantPatch
from domain.identity.users import NewUser, User
from repositories.dynamodb import keys
from repositories.dynamodb.codec import Row, new_row
from repositories.dynamodb.iam_actions import GROUP_CHANGE, INVITATION, IamAction, uses
from repositories.dynamodb.keys import Position
from repositories.dynamodb.session import Session, retry_on_conflict
from repositories.dynamodb.table import Table
from repositories.dynamodb.transaction import Stale
from repositories.identity.invitations import add_user, adopting, claim_of, invite
from repositories.identity.tenant_rows import tenant_fields
from repositories.identity.user_pool import UserPool
from repositories.identity.user_rows import user_event
from repositories.paging.lists import Listing, list_page


@dataclass(frozen=True, slots=True)
class TenantRepository:
    """The tenant of an operator's session."""

    session: Session
    user_pool: UserPool

    @uses(IamAction.GET, IamAction.PUT, *INVITATION, *GROUP_CHANGE)
    def create(self, new: NewTenant) -> Tenant:
        """Add a tenant and invite its owner. Raises InvalidState if the id is taken, EmailTaken, Contention."""
        return self._create(new, claim_of(self.session))

    @retry_on_conflict
    def _create(self, new: NewTenant, claim: str) -> Tenant:
        self.session.record.replay()
        if find_tenant(self.session.table, new.id):
            raise _id_taken()
        canonical = canonical_email(new.owner.email)
        subject = invite(self.session, self.user_pool, canonical, new.owner.email, claim)
        owner = User.new(subject, NewUser(**new.owner.model_dump(), role=Role.OWNER), self.session.at)
        tenant = Tenant.new(new, self.session.at)
        tx = self.session.transaction()
        tx.create("add the tenant", _row(tenant), raises=_id_taken())
        add_user(tx, self.session, owner, canonical, claim)
        with adopting(self.user_pool, owner.id):
            self.session.commit(
                tx, tenant, DomainEvent("TenantCreated", tenant.id, 1), user_event("UserCreated", owner)
            )
        self.user_pool.put_in_group(owner.id, Role.OWNER)
        return tenant

    @uses(IamAction.GET)
    def get(self) -> Tenant:
        """Return the tenant. Raises NotFound."""
        found = find_tenant(self.session.table, self.session.tenant)
        if found is None:
            raise NotFound("tenant")
        return found

    @uses(IamAction.LIST)
    def page(self, page: PageRequest) -> Page[Tenant]:
        """Return a page of all tenants. Raises CursorInvalid."""
        rows, cursor = list_page(Listing(self.session.table, "gsi1", keys.tenant_pks(), "TENANT"), page)
        return Page(items=[Tenant(**row["head"]) for row in rows], next_cursor=cursor)

    @uses(IamAction.GET, IamAction.PUT)
    @retry_on_conflict
    def change(self, patch: TenantPatch, expected: frozenset[int] | None) -> Tenant:
        """Change the tenant. Raises NotFound, PreconditionFailed, ValidationFailed, Contention."""
        before = self.get()
        if expected is not None and before.version not in expected:
            raise PreconditionFailed
        after = before.patched(patch, self.session.at)
        tx = self.session.transaction()
        tx.put(
            "change the tenant",
            _row(after),
            condition="version = :seen",
            raises=Stale() if expected is None else PreconditionFailed(),
            seen=before.version,
        )
        self.session.commit(tx, after, DomainEvent("TenantChanged", after.id, after.version, at=after.updated_at))
        return after


def find_tenant(table: Table, tenant_id: str) -> Tenant | None:
    """Return a tenant, or None."""
    row = table.get(keys.tenant(tenant_id))
    return Tenant(**tenant_fields(row)) if row else None


def _row(tenant: Tenant) -> Row:
    at = Position(to_rfc3339(tenant.created_at), tenant.id)
    head = tenant.model_dump(mode="json")
    return new_row(keys.tenant(tenant.id), "tenant", head=head, version=tenant.version, **keys.listed_tenant(at))


def _id_taken() -> InvalidState:
    return InvalidState("There is a tenant with this id.")
