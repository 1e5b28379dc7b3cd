"""Capacity units of what happens with events after they were written: `uv run python -m benchmarks.events`."""

import io
import json
from collections.abc import Callable
from contextlib import redirect_stdout
from datetime import timedelta
from functools import partial
from typing import NamedTuple

from benchmarks import prices
from benchmarks.cost import forget_clients
from benchmarks.orders import called, new_items
from benchmarks.pages import PAGE, with_table
from domain.common.environment import monotonic, now
from domain.event_types import Event
from domain.identity.permissions import Caller, Role
from domain.webhooks import Endpoint, NewEndpoint
from local.http.server import settings_for
from local.samples.data import ENDPOINT_IDS, TENANT, add_samples
from local.services import services
from repositories.aws.clients import dynamodb
from repositories.dynamodb import keys
from repositories.dynamodb.codec import Row
from repositories.dynamodb.keys import Key
from repositories.dynamodb.session import Session
from repositories.dynamodb.table import Meter, Table
from repositories.events.relay import events_of, relay_events
from repositories.stats.counting import count_order
from repositories.webhooks import sending
from repositories.webhooks.delivering import deliver
from repositories.webhooks.fan_out import fan_out
from repositories.webhooks.repository import EndpointRepository
from repositories.webhooks.sending import Outcome

_QUEUE, _BUS, _CALL_SECONDS = 3 * 0.50, 1.00, 0.02
"""Dollars a million: a message is sent, received and deleted; an event is put on the bus. A call's share of a batch."""


class Step(NamedTuple):
    """A step of the way of an event, its units, and what queue and bus cost with it, in dollars a million."""

    name: str
    reads: float
    writes: float
    services: float = 0.0

    @property
    def dollars(self) -> float:
        """Dollars for a million times."""
        compute = 1e6 * prices.MEMORY_GB * _CALL_SECONDS * prices.GB_SECOND
        return self.reads * prices.READ_UNIT + self.writes * prices.WRITE_UNIT + self.services + compute


def steps() -> list[Step]:
    """Return the steps, measured on the local database."""
    with services(), redirect_stdout(io.StringIO()):
        forget_clients()
        settings_for(None)
        add_samples()
        found = _measured()
    forget_clients()
    return found


def _measured() -> list[Step]:
    for each in ENDPOINT_IDS:
        EndpointRepository(_session(Meter())).delete(each, None)
    found = []
    for size in (1, 3, 10):
        order = _ordered(new_items(size), f"flow-{size}")
        found.append(_step(f"count a payment of {size} items", partial(count_order, order_id=order)))
    refund = {"lines": [{"item_id": each["item_id"], "quantity": 1} for each in _lines(order)[:1]]}
    called("refunds/create_refund", refund, "flow-refund", {"order_id": order})
    found.append(_step("count a refund of one item", lambda session: count_order(session, order)))
    row = _event_row(order)
    relayed = _step("relay a row of events to bus and queue", lambda session: relay_events(session.table, [row]))
    events = list(events_of(row))[:1]
    unwanted = _step("match an event with the endpoints, none of which wants it", lambda session: fan_out(session, []))
    made = [_delivery(events, ordering) for ordering in ("none", "subject")]
    return [relayed._replace(services=_QUEUE + _BUS), unwanted, *found, *(each for pair in made for each in pair)]


def _delivery(events: list[Event], ordering: str) -> list[Step]:
    """Return the steps of creating and making a delivery."""
    repository = EndpointRepository(_session(Meter()))
    new = NewEndpoint.model_validate({"url": "http://127.0.0.1/", "ordering": ordering})
    endpoint = Endpoint.new(f"ep_01JD3ZK8Q4M5X6Y7Z8A9B0C1{'N' if ordering == 'none' else 'S'}0", new, now())
    repository.add(endpoint.model_copy(update={"created_at": now() - timedelta(days=1)}))
    order = "in order" if ordering == "subject" else "in any order"
    create = _step(f"create a delivery {order}", lambda session: fan_out(session, events))
    send, sending.send = sending.send, lambda *_: Outcome(200, None, 1)
    try:
        due = next(each for each in _due(endpoint.id) if "gsi3sk" in each)
        key = Key(due["pk"], due["sk"])
        made = _step(f"make it {order}", lambda session: deliver(session, key, due["gsi3sk"]), later=True)
    finally:
        sending.send = send
    repository.delete(endpoint.id, None)
    return [create, made._replace(services=_QUEUE)]


def _step(name: str, act: Callable[[Session], object], *, later: bool = False) -> Step:
    meter = Meter()
    session = _session(meter, timedelta(minutes=1) if later else timedelta())
    act(session)
    return Step(name, meter.read_units, meter.write_units)


def _session(meter: Meter, ahead: timedelta = timedelta()) -> Session:
    table = Table(dynamodb(), "tradepost", meter)
    return Session(table, Caller(TENANT, "system", Role.OWNER), now() + ahead, monotonic() + 20)


def _ordered(items: list[str], key: str) -> str:
    lines = [{"item_id": each, "quantity": 1} for each in items]
    order: str = json.loads(called("orders/place_order", {"lines": lines}, key)["body"])["id"]
    called("orders/pay_order", {"provider": "manual"}, f"{key}-pay", {"order_id": order})
    return order


def _lines(order: str) -> list[dict[str, str]]:
    lines: list[dict[str, str]] = json.loads(called("orders/get_order", None, "", {"order_id": order})["body"])["lines"]
    return lines


def _event_row(order: str) -> Row:
    table = Table(dynamodb(), "tradepost", Meter())
    rows = (row for pk in keys.event_pks(TENANT, now()) for row in table.whole_partition(pk))
    return next(
        row for row in rows if row["events"][0]["subject"] == order and row["events"][0]["kind"] == "OrderPlaced"
    )


def _due(endpoint: str) -> list[Row]:
    from repositories.webhooks import keys as webhook_keys

    return [*Table(dynamodb(), "tradepost", Meter()).whole_partition(webhook_keys.deliveries_pk(TENANT, endpoint))]


def table() -> str:
    """Return the table of the page."""
    head = "| step | read units | write units | dollars a million |\n| --- | ---: | ---: | ---: |\n"
    return head + "".join(
        f"| {each.name} | {each.reads:g} | {each.writes:g} | {each.dollars:.2f} |\n" for each in steps()
    )


def page() -> str:
    """Return the page with its table as measured now."""
    return with_table("events", table())


if __name__ == "__main__":
    PAGE.write_text(page())
    print(PAGE)
