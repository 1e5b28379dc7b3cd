"""Feed of a resource's bookings, for calendars that read it at an address which is a secret."""

import base64
import hmac
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from domain.bookings.booking import Booking
from domain.bookings.calendar import counting, seconds
from domain.bookings.hours import Span
from domain.bookings.resources import Resource
from domain.bookings.status import ON_PAGES
from domain.common.errors import NotFound
from repositories.aws.derived_secrets import derived_secret
from repositories.bookings import keys
from repositories.bookings.calendar import entries_between
from repositories.bookings.resources import ResourceRepository
from repositories.bookings.rows import StoredResource, booking_from_row
from repositories.dynamodb.iam_actions import IamAction, uses
from repositories.dynamodb.keys import Key
from repositories.dynamodb.session import Session, retry_on_conflict
from repositories.dynamodb.transaction import Stale

MAX_BOOKINGS = 1000
"""Maximum bookings of a feed."""
_PAST = timedelta(days=30)
"""How far back a feed goes."""
_FUTURE = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class FeedRepository:
    """The feeds of a tenant's resources."""

    session: Session

    @uses(IamAction.GET, IamAction.PUT, IamAction.SIGN_WEBHOOKS)
    @retry_on_conflict
    def renew(self, resource_id: str) -> str:
        """Return a new token of a resource's feed. The one before is no longer valid. Raises NotFound, Contention."""
        stored = ResourceRepository(self.session).read(resource_id)
        after = replace(stored, feed=stored.feed + 1)
        tx = self.session.transaction()
        tx.put(
            "make an address of the feed",
            after.to_row(self.session.tenant),
            condition="version = :seen AND feed = :feed",
            raises=Stale(),
            seen=stored.resource.version,
            feed=stored.feed,
        )
        self.session.commit_events(tx)
        return self._token(after)

    @uses(IamAction.GET, IamAction.QUERY, IamAction.BATCH_GET, IamAction.SIGN_WEBHOOKS)
    def read(self, resource_id: str, token: str) -> tuple[Resource, list[Booking]]:
        """Return a resource and its bookings from 30 days ago on. Raises NotFound for a token that is not valid."""
        stored = self.session.retry_on_conflict(lambda: ResourceRepository(self.session).read(resource_id))
        if not stored.feed or not hmac.compare_digest(self._token(stored).encode(), token.encode()):
            raise NotFound("calendar")
        at = self.session.at
        return stored.resource, [each for each in self._bookings(stored, at) if not each.is_lapsed(at)]

    def _bookings(self, stored: StoredResource, at: datetime) -> list[Booking]:
        """Return the bookings on the pages of the calendar by their beginning; if they are too many, the next ones."""
        spans = (Span(at, at + _FUTURE), Span(at - _PAST, at))
        entries = (entry for span in spans for entry in entries_between(self.session, stored.place(span)))
        wanted = dict[str, Key]()
        for entry in counting(entries, seconds(at)):
            wanted[entry.booking_id] = keys.booking(self.session.tenant, entry.booking_id)
            if len(wanted) == MAX_BOOKINGS:
                break
        bookings = (booking_from_row(row) for row in self.session.table.batch_get(wanted.values()).values())
        return sorted((each for each in bookings if each.status in ON_PAGES), key=lambda each: each.during)

    def _token(self, stored: StoredResource) -> str:
        return token_of(self.session.tenant, stored.resource.id, stored.feed)


def token_of(tenant: str, resource_id: str, number: int) -> str:
    """Return the token of an address of a resource's feed, by its number."""
    secret = derived_secret(tenant, resource_id, number)
    return f"{tenant}.{base64.urlsafe_b64encode(secret).decode().rstrip('=')}"


def tenant_of(token: str) -> str:
    """Return the tenant that a token names."""
    return token.partition(".")[0]
