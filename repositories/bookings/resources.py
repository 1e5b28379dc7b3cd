"""Resources and the times at which they are free."""

from dataclasses import dataclass, replace
from datetime import timedelta

from domain.bookings.calendar import LONG_PAGES, LONGEST_BY_DAY
from domain.bookings.hours import Span
from domain.bookings.resources import NewResource, Resource, ResourceFields, ResourcePatch, ResourceStatus
from domain.bookings.slots import MAX_RANGE, Availability, Wish, free_slots
from domain.common.errors import Flaw, NotFound, PreconditionFailed
from domain.common.events import DomainEvent
from domain.common.ids import is_id, new_id
from domain.common.pages import Page, PageRequest
from domain.common.validation import invalid_input
from repositories.bookings import keys
from repositories.bookings.calendar import entries_between
from repositories.bookings.rows import StoredResource
from repositories.dynamodb.iam_actions import IamAction, uses
from repositories.dynamodb.session import Session, retry_on_conflict
from repositories.dynamodb.transaction import Stale, id_exists
from repositories.identity.traded_currencies import require_currency
from repositories.paging.lists import Listing, whole_rows


@dataclass(frozen=True, slots=True)
class ResourceRepository:
    """The resources of the caller's tenant."""

    session: Session

    @uses(IamAction.GET, IamAction.PUT)
    @retry_on_conflict
    def create(self, new: NewResource) -> Resource:
        """Add a resource. Raises ValidationFailed, Contention."""
        self._require_currency(new)
        return self.add(StoredResource.new(new_id("resource"), new, self.session.at))

    def add(self, stored: StoredResource) -> Resource:
        """Add a resource with its id. Raises Contention."""
        tx = self.session.transaction()
        tx.create("add the resource", stored.to_row(self.session.tenant), raises=id_exists)
        self.session.commit(tx, stored.resource, _event(stored.resource, "Created"))
        return stored.resource

    @uses(IamAction.GET)
    @retry_on_conflict
    def get(self, resource_id: str) -> Resource:
        """Return a resource. Raises NotFound, Contention."""
        return self.read(resource_id).resource

    @uses(IamAction.LIST, IamAction.BATCH_GET)
    def page(self, page: PageRequest) -> Page[Resource]:
        """Return a page of the resources. Raises CursorInvalid."""
        rows, cursor = whole_rows(Listing.of_all(self.session, keys.RESOURCES), page)
        return Page(items=[StoredResource.from_row(row).resource for row in rows], next_cursor=cursor)

    @uses(IamAction.GET, IamAction.PUT)
    @retry_on_conflict
    def change(self, resource_id: str, patch: ResourcePatch, expected: frozenset[int] | None) -> Resource:
        """Change a resource if its version is in `expected`; None accepts any. Bookings stay as they are.

        Raises NotFound, PreconditionFailed, InvalidState, ValidationFailed, Contention.
        """
        stored = self.read(resource_id)
        _require_version(stored.resource, expected)
        fields = stored.resource.patched(patch)
        self._require_currency(fields)
        _require_short(fields, stored)
        changed = stored.resource.changed(self.session.at, **dict(fields))
        return self._commit(
            stored, replace(stored, resource=changed, most=max(stored.most, changed.capacity)), "Changed"
        )

    @uses(IamAction.GET, IamAction.PUT)
    @retry_on_conflict
    def archive(self, resource_id: str, expected: frozenset[int] | None) -> None:
        """Archive a resource, if it is active. Its bookings stay. Raises NotFound, PreconditionFailed, Contention."""
        stored = self.read(resource_id)
        _require_version(stored.resource, expected)
        if stored.resource.status is ResourceStatus.ACTIVE:
            archived = stored.resource.changed(self.session.at, status=ResourceStatus.ARCHIVED)
            self._commit(stored, replace(stored, resource=archived), "Archived")

    @uses(IamAction.GET, IamAction.QUERY)
    def availability(self, resource_id: str, within: Span, minutes: int | None, units: int) -> Availability:
        """Return the times that begin within a span and at which units are free for some minutes; None: the fewest.

        Raises NotFound, ValidationFailed, Contention.
        """
        if not timedelta() < within.end - within.start <= MAX_RANGE:
            detail = f"It is after `from`, and at most {MAX_RANGE.days} days later."
            raise invalid_input([Flaw("/query/to", "RANGE_INVALID", detail)])
        stored = self.session.retry_on_conflict(lambda: self.read(resource_id))
        resource, at = stored.resource, self.session.at
        latest = at + timedelta(days=resource.horizon_days, seconds=1)
        within = Span(max(within.start, at), min(within.end, latest))
        if within.start >= within.end:
            return Availability(slots=[])
        wish = Wish(timedelta(minutes=resource.min_minutes if minutes is None else minutes), units)
        entries = entries_between(self.session, stored.place(Span(within.start, within.end + wish.length)))
        return Availability(slots=free_slots(resource, entries, wish, within, at))

    def read(self, resource_id: str) -> StoredResource:
        """Return a resource as it is stored. Raises NotFound, Stale."""
        if not is_id("resource", resource_id):
            raise NotFound("resource")
        row = self.session.find(keys.resource(self.session.tenant, resource_id))
        if row is None:
            raise NotFound("resource")
        return StoredResource.from_row(row)

    def _commit(self, before: StoredResource, after: StoredResource, event: str) -> Resource:
        tx = self.session.transaction()
        tx.put(
            "change the resource",
            after.to_row(self.session.tenant),
            condition="version = :seen AND feed = :feed",
            raises=Stale(),
            seen=before.resource.version,
            feed=before.feed,
        )
        self.session.commit(tx, after.resource, _event(after.resource, event))
        return after.resource

    def _require_currency(self, fields: ResourceFields) -> None:
        if fields.price:
            require_currency(self.session, fields.price.amount.currency, "/price/amount/currency")


def _event(resource: Resource, what: str) -> DomainEvent:
    return DomainEvent(f"Resource{what}", resource.id, resource.version, at=resource.updated_at)


def _require_version(resource: Resource, expected: frozenset[int] | None) -> None:
    if expected is not None and resource.version not in expected:
        raise PreconditionFailed


def _require_short(fields: ResourceFields, stored: StoredResource) -> None:
    """Raise ValidationFailed for bookings that are too long for the pages of the resource's calendar."""
    if stored.page_days < LONG_PAGES and timedelta(minutes=fields.max_minutes) > LONGEST_BY_DAY:
        detail = f"Bookings of more than {LONGEST_BY_DAY.days} days need a resource that was made for them."
        raise invalid_input([Flaw("/max_minutes", "TOO_LONG", detail)])
