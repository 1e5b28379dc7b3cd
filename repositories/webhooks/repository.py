"""Webhook endpoints and their deliveries, as owners see them."""

from dataclasses import dataclass, replace

from domain.common.errors import InvalidState, NotFound, PreconditionFailed
from domain.common.events import DomainEvent
from domain.common.ids import is_id, new_id
from domain.common.pages import Page, PageRequest
from domain.event_data.shop import WebhookTest
from domain.event_types import SCHEMA, Event, type_of
from domain.webhooks import (
    MAX_ENDPOINTS,
    Delivery,
    DeliveryStatus,
    Endpoint,
    EndpointPatch,
    EndpointStatus,
    EndpointWithSecret,
    NewEndpoint,
)
from repositories.dynamodb.codec import Row
from repositories.dynamodb.iam_actions import IamAction, uses
from repositories.dynamodb.session import Session, retry_on_conflict
from repositories.dynamodb.transaction import Stale, WriteTransaction, id_exists
from repositories.paging.cursors import seal, unseal
from repositories.webhooks import keys as webhook_keys
from repositories.webhooks.addresses import require_allowed
from repositories.webhooks.lanes import wake
from repositories.webhooks.rows import StoredDelivery, StoredEndpoint, replace_endpoint

MAX_EXAMINED = 1000
"""Deliveries examined for one page of those with a status; beyond it, a page may be short."""
_ROTATIONS = 10
"""Rotations of a secret that are kept: those of the last day count."""
_END = "~"
"""Sorts after every id."""


@dataclass(frozen=True, slots=True)
class EndpointRepository:
    """The webhook endpoints of the caller's tenant."""

    session: Session

    @uses(IamAction.QUERY, IamAction.GET, IamAction.PUT, IamAction.SIGN_WEBHOOKS)
    def create(self, new: NewEndpoint) -> EndpointWithSecret:
        """Add an endpoint. Raises ValidationFailed for an address that is refused, InvalidState if there are too many.

        What is returned has the generation of the secret in its place: the route shows the secret itself, which is
        never stored.
        """
        return self.add(Endpoint.new(new_id("ep"), new, self.session.at))

    def add(self, endpoint: Endpoint) -> EndpointWithSecret:
        """Add an endpoint with an id of its own. Raises as `create`."""
        require_allowed(endpoint.url)
        if len(self._all()) >= MAX_ENDPOINTS:
            raise InvalidState(f"There are {MAX_ENDPOINTS} endpoints, as many as there may be.")
        stored = StoredEndpoint(endpoint, endpoint.created_at)
        tx = self.session.transaction()
        tx.create("add the endpoint", stored.to_row(self.session.tenant), raises=id_exists)
        shown = _with_generation(stored)
        self.session.commit(tx, shown, _event("WebhookCreated", stored.endpoint))
        return shown

    @uses(IamAction.GET)
    @retry_on_conflict
    def get(self, endpoint_id: str) -> Endpoint:
        """Return an endpoint. Raises NotFound, Contention."""
        return self._read(endpoint_id).endpoint

    @uses(IamAction.QUERY, IamAction.SIGN)
    def page(self, page: PageRequest) -> Page[Endpoint]:
        """Return a page of the endpoints, newest first. Raises CursorInvalid."""
        query = f"{self.session.tenant}\nHOOKS"
        before = unseal(page.cursor, query) if page.cursor else _END
        found = [each.endpoint for each in reversed(self._all()) if each.endpoint.id < before]
        shown = found[: page.limit]
        return Page(items=shown, next_cursor=seal(shown[-1].id, query) if len(found) > len(shown) else None)

    @uses(IamAction.GET, IamAction.PUT)
    @retry_on_conflict
    def change(self, endpoint_id: str, patch: EndpointPatch, expected: frozenset[int] | None) -> Endpoint:
        """Change an endpoint. One that is enabled again starts without failures.

        Raises NotFound, PreconditionFailed, ValidationFailed, Contention.
        """
        stored = self._read(endpoint_id)
        _require_version(stored, expected)
        changed = stored.endpoint.patched(patch, self.session.at)
        if changed.url != stored.endpoint.url:
            require_allowed(changed.url)
        after = replace(stored, endpoint=changed)
        if changed.status is not stored.endpoint.status or changed.url != stored.endpoint.url:
            after = after.healthy()
        if (changed.status, changed.ordering) != (stored.endpoint.status, stored.endpoint.ordering):
            after = replace(after, enabled_at=self.session.at)
        self.session.commit(self._changing(stored, after), changed, _event("WebhookChanged", changed))
        return changed

    @uses(IamAction.GET, IamAction.PUT, IamAction.SIGN_WEBHOOKS)
    @retry_on_conflict
    def rotate_secret(self, endpoint_id: str) -> EndpointWithSecret:
        """Give an endpoint a new secret; the old one signs along for a day. Raises NotFound, Contention.

        What is returned has the generation of the secret in its place, as with `create`.
        """
        stored = self._read(endpoint_id)
        changed = stored.endpoint.changed(self.session.at)
        rotations = (*stored.rotations, self.session.at)[-_ROTATIONS:]
        after = replace(stored, endpoint=changed, generation=stored.generation + 1, rotations=rotations)
        shown = _with_generation(after)
        self.session.commit(self._changing(stored, after), shown, _event("WebhookSecretRotated", changed))
        return shown

    @uses(IamAction.GET, IamAction.PUT, IamAction.DELETE)
    @retry_on_conflict
    def delete(self, endpoint_id: str, expected: frozenset[int] | None) -> None:
        """Delete an endpoint and drop what was not delivered. Raises NotFound, PreconditionFailed, Contention."""
        stored = self._read(endpoint_id)
        _require_version(stored, expected)
        tx, gone = self.session.transaction(), stored.endpoint.changed(self.session.at)
        tx.delete_if(
            "delete the endpoint",
            webhook_keys.endpoint(self.session.tenant, endpoint_id),
            condition="version = :seen",
            raises=Stale(),
            seen=stored.endpoint.version,
        )
        self.session.commit_events(tx, _event("WebhookDeleted", gone))

    @uses(IamAction.GET, IamAction.PUT)
    @retry_on_conflict
    def test(self, endpoint_id: str) -> Delivery:
        """Send a test event to an endpoint. Raises NotFound, InvalidState if it is disabled, Contention."""
        stored = self._read(endpoint_id)
        _require_enabled(stored.endpoint)
        kind, at, tenant = WebhookTest.__name__, self.session.at, self.session.tenant
        event = Event(
            id=new_id("event"),
            source=f"/tenants/{tenant}",
            type=type_of(kind),
            subject=endpoint_id,
            time=at,
            sequence="0",
            dataschema=f"{SCHEMA}{kind}",
            data={},
        )
        made = StoredDelivery.of(event, at, in_lane=False, asked=True)
        tx = self.session.transaction()
        tx.create("add the test", made.to_row(tenant, endpoint_id, at), raises=id_exists)
        self.session.commit(tx, made.delivery)
        return made.delivery

    @uses(IamAction.GET, IamAction.QUERY, IamAction.SIGN)
    @retry_on_conflict
    def deliveries(self, endpoint_id: str, status: DeliveryStatus | None, page: PageRequest) -> Page[Delivery]:
        """Return a page of the deliveries to an endpoint, newest first. Raises NotFound, CursorInvalid, Contention."""
        self._read(endpoint_id)
        tenant, query = self.session.tenant, f"{self.session.tenant}\nHOOK\n{endpoint_id}\n{status or ''}"
        before = unseal(page.cursor, query) if page.cursor else _END
        shown: list[Delivery] = []
        rows, more = self._older(tenant, endpoint_id, before, MAX_EXAMINED if status else page.limit)
        for number, row in enumerate(rows, start=1):
            if status is None or row["status"] == status:
                shown.append(StoredDelivery.from_row(row).delivery)
            if len(shown) == page.limit:
                more = more or number < len(rows)
                rows = rows[:number]
                break
        cursor = seal(rows[-1]["delivery"]["event_id"], query) if more and rows else None
        return Page(items=shown, next_cursor=cursor)

    def _older(self, tenant: str, endpoint_id: str, before: str, limit: int) -> tuple[list[Row], bool]:
        """Return deliveries before an event, newest first, and whether there are more."""
        low, high = webhook_keys.delivery(tenant, endpoint_id, ""), webhook_keys.delivery(tenant, endpoint_id, before)
        values = {":pk": low.pk, ":low": low.sk, ":high": high.sk}
        page = self.session.table.query(
            "pk = :pk AND sk BETWEEN :low AND :high", values, limit=limit + 1, newest_first=True, consistent=True
        )
        # BETWEEN includes its bounds, so the row at the cursor comes again.
        return [row for row in page.rows if row["sk"] != high.sk], page.more

    @uses(IamAction.GET, IamAction.PUT, IamAction.UPDATE)
    @retry_on_conflict
    def retry(self, endpoint_id: str, event_id: str) -> Delivery:
        """Deliver an event again, now. Raises NotFound, InvalidState if the endpoint is disabled, Contention."""
        stored = self._read(endpoint_id)
        tenant, at = self.session.tenant, self.session.at
        known = is_id("event", event_id)
        row = self.session.find(webhook_keys.delivery(tenant, endpoint_id, event_id)) if known else None
        if row is None:
            raise NotFound("delivery")
        _require_enabled(stored.endpoint)
        delivery = StoredDelivery.from_row(row)
        tx = self.session.transaction()
        waits = delivery.in_lane and delivery.delivery.status is DeliveryStatus.PENDING
        again = delivery.moved(DeliveryStatus.PENDING, at, tries=0, asked=True, in_lane=waits)
        changed = again.to_row(tenant, endpoint_id, at)
        tx.put("deliver again", changed, condition="version = :seen", raises=Stale(), seen=delivery.version)
        if waits:
            wake(tx, self.session, endpoint_id, delivery.subject)
        self.session.commit(tx, again.delivery)
        return again.delivery

    def _all(self) -> list[StoredEndpoint]:
        """Return all endpoints, oldest first."""
        rows = self.session.table.partition(webhook_keys.endpoint(self.session.tenant, "").pk)
        return [StoredEndpoint.from_row(row) for row in rows]

    def _read(self, endpoint_id: str) -> StoredEndpoint:
        known = is_id("ep", endpoint_id)
        row = self.session.find(webhook_keys.endpoint(self.session.tenant, endpoint_id)) if known else None
        if row is None:
            raise NotFound("webhook endpoint")
        return StoredEndpoint.from_row(row)

    def _changing(self, stored: StoredEndpoint, after: StoredEndpoint) -> WriteTransaction:
        tx = self.session.transaction()
        replace_endpoint(tx, self.session.tenant, stored, after)
        return tx


def _require_version(stored: StoredEndpoint, expected: frozenset[int] | None) -> None:
    if expected is not None and stored.endpoint.version not in expected:
        raise PreconditionFailed


def _require_enabled(endpoint: Endpoint) -> None:
    if endpoint.status is EndpointStatus.DISABLED:
        raise InvalidState("The endpoint is disabled.")


def _with_generation(stored: StoredEndpoint) -> EndpointWithSecret:
    return EndpointWithSecret(**dict(stored.endpoint), secret=str(stored.generation))


def _event(kind: str, endpoint: Endpoint) -> DomainEvent:
    return DomainEvent(kind, endpoint.id, endpoint.version, at=endpoint.updated_at)
