"""Creation of deliveries: one for each event and endpoint that wants it, however often the event comes."""

from collections.abc import Iterable

from domain.common.environment import in_parallel
from domain.event_types import Event
from repositories.dynamodb.iam_actions import IamAction, uses
from repositories.dynamodb.session import Session
from repositories.webhooks import keys as webhook_keys
from repositories.webhooks.lanes import join
from repositories.webhooks.rows import StoredDelivery, StoredEndpoint


class _ThereAlready(Exception):
    """The delivery was created before."""


@uses(IamAction.QUERY, IamAction.GET, IamAction.PUT, IamAction.UPDATE)
def fan_out(session: Session, events: Iterable[Event]) -> int:
    """Create the deliveries of events of the session's tenant, and return their number. Raises Contention."""
    table, tenant = session.table, session.tenant
    rows = table.partition(webhook_keys.endpoint(tenant, "").pk)
    endpoints = [StoredEndpoint.from_row(row) for row in rows]

    def create(stored: StoredEndpoint) -> int:
        endpoint = stored.endpoint
        if endpoint.ordering == "subject":
            return sum(_in_order(session, stored, event) for event in happened if endpoint.sees(event.time))
        return sum(
            _at_once(session, endpoint.id, event) for event in happened if endpoint.wants(event.type, event.time)
        )

    happened = list(events)
    return sum(in_parallel(create, endpoints))


def _at_once(session: Session, endpoint_id: str, event: Event) -> bool:
    new = StoredDelivery.of(event, session.at, in_lane=False)
    row = new.to_row(session.tenant, endpoint_id, session.at)
    return session.table.put(row, "attribute_not_exists(pk)", {}) is None


def _in_order(session: Session, endpoint: StoredEndpoint, event: Event) -> bool:
    """Let the lane of an event's subject handle it. Return whether a delivery was created."""
    endpoint_id = endpoint.endpoint.id
    wanted = endpoint.endpoint.wants(event.type, event.time)

    def attempt() -> None:
        tx = session.transaction()
        if wanted:
            new = StoredDelivery.of(event, session.at, in_lane=True)
            tx.create("add the delivery", new.to_row(session.tenant, endpoint_id, session.at), raises=_ThereAlready())
        join(tx, session, endpoint, event, wanted=wanted)
        tx.commit(session.deadline)

    try:
        session.retry_on_conflict(attempt)
    except _ThereAlready:
        return False
    return wanted
