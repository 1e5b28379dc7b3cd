"""Tests of deliveries in order, and of what comes twice, late or never."""

import json
from contextlib import suppress
from datetime import timedelta

import pytest

from domain.common.environment import now
from domain.webhooks import PATIENCE, PAUSES
from handlers.invocations.trigger import Queue
from local.invocation import invoke
from tests.faults import FAULTS, Fault, injected
from tests.integration.flow.common import Flow, event_message, handle
from tests.integration.flow.hooks import Clock, deliver_due, deliveries, endpoint, paid, sweep, time_of
from tests.integration.flow.receivers import Receiver
from tests.shop import Shop, race


def test_events_of_a_subject_arrive_in_order_whatever_fails(shop: Shop, receiver: Receiver, clock: Clock) -> None:
    endpoint(
        shop,
        receiver,
        ordering="subject",
        types=[f"tradepost.order.{each}" for each in ("placed", "paid", "shipped", "delivered")],
    )
    receiver.secret = ""  # the library refuses times that are minutes away
    flow = Flow(shop)
    orders = [paid(shop) for _ in range(3)]
    receiver.status = 500
    flow.run()
    assert receiver.types == ["order.placed"] * 3
    for order in orders:
        shop.move(order, "ship")
        shop.move(order, "deliver")
    flow.run()
    receiver.status = 200
    receiver.got.clear()
    clock.ahead = timedelta(minutes=10)
    for _ in range(8):
        deliver_due(flow)
    for order in orders:
        mine = [each["sequence"] for each in receiver.got if each["subject"] == order]
        assert mine == ["1", "2", "3", "4"]


def test_events_that_are_handled_out_of_order_are_delivered_in_order(
    shop: Shop, receiver: Receiver, clock: Clock
) -> None:
    endpoint(shop, receiver, ordering="subject", types=["tradepost.order.placed", "tradepost.order.paid"])
    orders = [paid(shop) for _ in range(3)]
    flow = Flow(shop)
    rows = [row for row in flow.event_rows() if row["events"][0]["kind"].startswith("Order")]
    flow.news()
    for row in sorted(rows, key=lambda row: -row["events"][0]["sequence"]):
        handle([event_message(row)])
        deliver_due(flow)
    for _ in range(3):
        deliver_due(flow)
    assert sorted(each["subject"] for each in receiver.got) == sorted(2 * orders)
    for order in orders:
        assert [each["sequence"] for each in receiver.got if each["subject"] == order] == ["1", "2"]


def test_an_event_whose_predecessor_is_unknown_waits_until_it_is_final(
    shop: Shop, receiver: Receiver, clock: Clock
) -> None:
    order = paid(shop)
    endpoint(shop, receiver, ordering="subject", types=["tradepost.order.shipped"])
    shop.move(order, "ship")
    flow = Flow(shop)
    flow.run()
    deliver_due(flow)
    assert receiver.got == []
    clock.ahead = timedelta(seconds=31)
    deliver_due(flow)
    assert receiver.types == ["order.shipped"]


def test_the_next_event_is_delivered_after_one_is_given_up(shop: Shop, receiver: Receiver, clock: Clock) -> None:
    made = endpoint(shop, receiver, ordering="subject", types=["tradepost.order.placed", "tradepost.order.paid"])
    receiver.status, receiver.secret = 400, ""
    paid(shop)
    flow = Flow(shop)
    flow.run()
    for _ in range(len(PAUSES) - 1):
        [placed] = [each for each in deliveries(shop, made["id"]) if each["type"] == "tradepost.order.placed"]
        clock.ahead = time_of(placed["next_attempt_at"]) - now() + timedelta(minutes=16)
        deliver_due(flow)
    receiver.status = 200
    clock.ahead += timedelta(minutes=16)
    deliver_due(flow)
    states = {each["type"].rpartition(".")[2]: each["status"] for each in deliveries(shop, made["id"])}
    assert states == {"placed": "failed", "paid": "succeeded"}


@pytest.mark.parametrize("ordering", ["none", "subject"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_call_that_fails_loses_no_delivery(
    shop: Shop, receiver: Receiver, clock: Clock, fault: Fault, ordering: str
) -> None:
    made = endpoint(shop, receiver, ordering=ordering, types=["tradepost.order.placed", "tradepost.order.paid"])
    receiver.secret = ""
    paid(shop)
    flow = Flow(shop)
    messages = [event_message(row) for row in flow.event_rows()]
    for number in range(40):
        with injected(fault, at=number, times=4) as calls:
            with suppress(Exception):  # Lambda would call again
                handle(messages)
            with suppress(Exception):
                deliver_due(flow)
        if len(calls) <= number:
            break
    handle(messages)
    for _ in range(4):
        clock.ahead += timedelta(minutes=10)
        deliver_due(flow)
    assert [each["status"] for each in deliveries(shop, made["id"])] == ["succeeded"] * 2
    events = [json.loads(body) for _, body in receiver.raw]
    assert {each["sequence"] for each in events} == {"1", "2"}
    if ordering == "subject":
        sequences = [each["sequence"] for each in events]
        assert sequences == sorted(sequences)


@pytest.mark.parametrize("ordering", ["none", "subject"])
def test_thirty_two_callers_create_a_delivery_once(shop: Shop, receiver: Receiver, ordering: str) -> None:
    made = endpoint(shop, receiver, ordering=ordering, types=["tradepost.order.placed", "tradepost.order.paid"])
    orders = [paid(shop) for _ in range(4)]
    rows = [row for row in Flow(shop).event_rows() if row["events"][0]["subject"] in orders]
    race(32, lambda n: handle([event_message(rows[n % len(rows)])]))
    assert len(deliveries(shop, made["id"])) == 8


def test_an_attempt_whose_message_was_lost_is_swept(shop: Shop, receiver: Receiver, clock: Clock) -> None:
    endpoint(shop, receiver, types=["tradepost.order.paid"])
    paid(shop)
    flow = Flow(shop)
    handle([event_message(row) for row in flow.event_rows()])
    flow.news()  # the records are lost
    receiver.secret = ""
    clock.ahead = timedelta(minutes=14)
    sweep(flow)
    assert receiver.got == []
    clock.ahead = timedelta(minutes=16)
    sweep(flow)
    assert len(receiver.raw) == 1


def test_a_message_that_comes_again_is_void(shop: Shop, receiver: Receiver) -> None:
    endpoint(shop, receiver, types=["tradepost.order.paid"])
    paid(shop)
    flow = Flow(shop)
    flow.relay()
    handle(flow.messages(Queue.EVENTS))
    flow.relay()
    messages = flow.messages(Queue.DELIVERIES)
    for _ in range(3):
        for message in messages:
            invoke("DeliverWebhooks", {"Records": [message]})
    assert len(receiver.got) == 1


def test_an_event_that_is_handled_minutes_late_still_comes_before_its_successors(
    shop: Shop, receiver: Receiver, clock: Clock
) -> None:
    """A shard of the stream may lag, a message may fail, or a record be lost and found by the sweep."""
    made = endpoint(shop, receiver, ordering="subject", types=["tradepost.order.placed", "tradepost.order.shipped"])
    receiver.secret = ""
    order = paid(shop)
    shop.move(order, "ship")
    flow = Flow(shop)
    placed, paid_row, shipped = (
        next(row for row in flow.event_rows() if row["events"][0]["kind"] == kind)
        for kind in ("OrderPlaced", "OrderPaid", "OrderShipped")
    )
    for handled, arrived in ((placed, ["order.placed"]), (shipped, ["order.placed"])):
        handle([event_message(handled)])
        deliver_due(flow)
        assert receiver.types == arrived
    clock.ahead = timedelta(minutes=70)
    deliver_due(flow)
    assert receiver.types == ["order.placed"]  # the payment, which is not wanted itself, is missing
    handle([event_message(paid_row)])
    deliver_due(flow)
    assert receiver.types == ["order.placed", "order.shipped"]
    assert len(deliveries(shop, made["id"])) == 2


def test_an_event_does_not_wait_for_ever_for_one_that_is_missing(shop: Shop, receiver: Receiver, clock: Clock) -> None:
    endpoint(shop, receiver, ordering="subject", types=["tradepost.order.placed", "tradepost.order.shipped"])
    receiver.secret = ""
    order = paid(shop)
    shop.move(order, "ship")
    flow = Flow(shop)
    for row in flow.event_rows():
        if row["events"][0]["kind"] in {"OrderPlaced", "OrderShipped"}:
            handle([event_message(row)])
    for minutes in (1, 2, 121, 122):
        clock.ahead = timedelta(minutes=minutes)
        deliver_due(flow)
    assert receiver.types == ["order.placed", "order.shipped"]


def test_a_message_that_comes_too_early_is_followed_by_another(shop: Shop, receiver: Receiver) -> None:
    order = paid(shop)
    endpoint(shop, receiver, ordering="subject", types=["tradepost.order.shipped"])
    shop.move(order, "ship")
    flow = Flow(shop)
    flow.relay()
    handle(flow.messages(Queue.EVENTS))
    flow.relay()
    for _ in range(3):
        for message in flow.messages(Queue.DELIVERIES):
            invoke("DeliverWebhooks", {"Records": [message]})
        deliver_due(flow)
        news = flow.news()
        assert news, "no message would come again"


def test_of_two_attempts_for_a_lane_at_once_the_second_is_void(shop: Shop, receiver: Receiver) -> None:
    endpoint(shop, receiver, ordering="subject", types=["tradepost.order.placed", "tradepost.order.paid"])
    paid(shop)
    flow = Flow(shop)
    flow.relay()
    handle(flow.messages(Queue.EVENTS))
    flow.relay()
    [message] = [
        each for each in flow.messages(Queue.DELIVERIES) if json.loads(each["body"])["sk"].startswith("LANE#order")
    ]
    race(4, lambda _: invoke("DeliverWebhooks", {"Records": [message]}))
    for _ in range(3):
        deliver_due(flow)
    assert [*dict.fromkeys(each["sequence"] for each in receiver.got)] == ["1", "2"]


def test_a_delivery_in_a_lane_that_is_retried_is_sent_though_the_endpoint_is_left_alone(
    shop: Shop, receiver: Receiver
) -> None:
    made = endpoint(shop, receiver, ordering="subject", types=["tradepost.order.placed"])
    receiver.status, receiver.secret = 500, ""
    flow = Flow(shop)
    for _ in range(PATIENCE + 2):
        shop.order({shop.add(stock=1)["id"]: 1})
        flow.run()
    assert len(receiver.raw) == PATIENCE
    receiver.status = 200
    waiting = deliveries(shop, made["id"], "status=pending")[0]
    shop.post(f"/webhook-endpoints/{made['id']}/deliveries/{waiting['event_id']}/retry", None)
    flow.run()
    assert receiver.raw[-1][0]["webhook-id"] == waiting["event_id"]
