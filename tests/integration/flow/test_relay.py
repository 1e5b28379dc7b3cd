"""Tests of the relay: all of a batch or none, and what the stream lost is found."""

import json
from datetime import timedelta
from typing import Any

import pytest

from domain.common.environment import monotonic, now
from domain.common.errors import Unavailable
from handlers.invocations.trigger import Queue
from local.aws.scheduler import scheduled_event
from local.invocation import invoke
from repositories.aws.clients import dynamodb, eventbridge, sqs
from repositories.dynamodb import keys
from repositories.dynamodb.codec import encode
from repositories.events.lost import KIND, relay_lost
from tests.faults import FAULTS, Fault, injected
from tests.integration.flow.common import Flow, record, table
from tests.shop import Shop


@pytest.fixture
def on_bus(database: str, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Events that were put on the bus."""
    found: list[dict[str, Any]] = []
    put = eventbridge().put_events

    def put_events(**asked: Any) -> Any:
        found.extend(asked["Entries"])
        return put(**asked)

    monkeypatch.setattr(eventbridge(), "put_events", put_events)
    return found


def paid(shop: Shop) -> str:
    item = shop.add(stock=9)["id"]
    order: str = shop.order({item: 1}).json["id"]
    shop.pay(order)
    return order


def events_in(messages: list[dict[str, Any]]) -> list[str]:
    return sorted(each["id"] for message in messages for each in json.loads(message["body"])["events"])


def test_events_go_to_the_bus_as_cloud_events_and_to_the_queue(shop: Shop, on_bus: list[dict[str, Any]]) -> None:
    order = paid(shop)
    flow = Flow(shop)
    flow.relay()
    stored = sorted(each["id"] for row in flow.event_rows() for each in row["events"])
    assert sorted(json.loads(each["Detail"])["id"] for each in on_bus) == stored
    [entry] = [each for each in on_bus if each["DetailType"] == "tradepost.order.paid"]
    event = json.loads(entry["Detail"])
    assert (entry["Source"], event["subject"], event["source"]) == ("tradepost", order, f"/tenants/{shop.tenant}")
    assert event["type"] == entry["DetailType"]
    messages = flow.messages(Queue.EVENTS)
    assert events_in(messages) == stored
    assert all(row["relayed"] for row in flow.event_rows())


def test_messages_of_a_subject_are_in_one_group_and_come_once(shop: Shop) -> None:
    order = paid(shop)
    shop.move(order, "ship")
    flow = Flow(shop)
    records = [record(row) for row in flow.event_rows()]
    flow.relay(records)
    flow.relay(records[1:])
    messages = flow.messages(Queue.EVENTS)
    assert len(messages) == len(records)
    groups: dict[str, set[str]] = {}
    for message in messages:
        subject = json.loads(message["body"])["events"][0]["subject"]
        groups.setdefault(subject, set()).add(message["attributes"]["MessageGroupId"])
    assert {len(each) for each in groups.values()} == {1}
    assert len(set.union(*groups.values())) == len(groups)


@pytest.mark.parametrize("entries", [1, 2])
def test_entries_that_are_not_taken_fail_the_batch(shop: Shop, monkeypatch: pytest.MonkeyPatch, entries: int) -> None:
    """Bus and queue answer 200 with a list of what failed."""
    paid(shop)
    flow = Flow(shop)
    records = [record(row) for row in flow.event_rows()]
    for client, name, answer in (
        (eventbridge(), "put_events", {"FailedEntryCount": entries, "Entries": []}),
        (sqs(), "send_message_batch", {"Successful": [], "Failed": [{"Id": "0"}] * entries}),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(client, name, lambda answer=answer, **_: answer)
            with pytest.raises(Unavailable):
                flow.relay(records)
        assert not any("relayed" in row for row in flow.event_rows())
    flow.relay(records)
    assert len(flow.messages(Queue.EVENTS)) == len(records)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_batch_that_fails_comes_again_and_loses_nothing(shop: Shop, fault: Fault) -> None:
    paid(shop)
    flow = Flow(shop)
    records = [record(row) for row in flow.event_rows()]
    with injected(fault, at=1, times=4):
        try:
            flow.relay(records)
        except Exception:  # noqa: BLE001 - Lambda sends the batch again
            flow.relay(records)
        else:
            flow.relay(records)
    assert len(flow.messages(Queue.EVENTS)) == len(records)
    assert all(row["relayed"] for row in flow.event_rows())


def _sweep(ahead: timedelta) -> int:
    return relay_lost(table(), now() + ahead, monotonic() + 15).rows


def test_events_that_the_stream_lost_are_relayed_by_the_sweep(shop: Shop, operator: Any) -> None:
    tenant = f"lost-{shop.tenant}"
    owner = {"email": "o@example.com", "name": "O"}
    operator.call("POST", "/tenants", {"id": tenant, "name": "Lost", "owner": owner})
    lost = Shop(shop.send, tenant=tenant)
    paid(lost)
    flow = Flow(lost)
    records = flow.news()
    flow.relay(records[:2])
    flow.messages(Queue.EVENTS)
    dynamodb().delete_item(TableName="tradepost", Key=encode(keys.sweep_mark(KIND)._asdict()))
    _sweep(timedelta(minutes=5))
    assert flow.messages(Queue.EVENTS) == []
    dynamodb().delete_item(TableName="tradepost", Key=encode(keys.sweep_mark(KIND)._asdict()))
    assert _sweep(timedelta(minutes=11)) >= len(records) - 2
    assert len(flow.messages(Queue.EVENTS)) == len(records) - 2
    assert _sweep(timedelta(minutes=11)) == 0
    assert all(row["relayed"] for row in flow.event_rows())


def test_a_sweep_out_of_time_does_not_advance(shop: Shop) -> None:
    dynamodb().delete_item(TableName="tradepost", Key=encode(keys.sweep_mark(KIND)._asdict()))
    paid(shop)
    found = relay_lost(table(), now() + timedelta(minutes=11), monotonic() - 1)
    if not found.in_time:
        assert table().get(keys.sweep_mark(KIND)) is None
    assert invoke("RelayLostEvents", scheduled_event(now())).keys() == {"relayed"}
