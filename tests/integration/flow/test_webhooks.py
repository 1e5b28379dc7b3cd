"""Tests of webhooks: what arrives, what is tried again, and what is given up."""

import json
import zlib
from datetime import timedelta
from uuid import uuid4

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from domain.common.environment import now
from domain.webhooks import MAX_ENDPOINTS, PATIENCE, PAUSES
from handlers.invocations.trigger import Queue
from local.invocation import invoke
from repositories.aws.clients import dynamodb
from tests.faults import interleaved
from tests.integration.flow.common import Flow, event_message, handle
from tests.integration.flow.hooks import Clock, deliver_due, deliveries, endpoint, paid, sweep, time_of
from tests.integration.flow.receivers import Receiver
from tests.shop import Shop


def test_each_event_arrives_signed_and_once(shop: Shop, receiver: Receiver) -> None:
    made = endpoint(shop, receiver)
    order = paid(shop)
    flow = Flow(shop)
    flow.run(2)
    assert sorted(receiver.types) == sorted(
        ["webhook.created", "item.created", "order.placed", "order.paid", "payment.captured", "transaction.posted"]
    )
    assert {each["id"] for each in receiver.got} == {each["event_id"] for each in deliveries(shop, made["id"])}
    [event] = [each for each in receiver.got if each["type"] == "tradepost.order.paid"]
    assert (event["subject"], event["source"]) == (order, f"/tenants/{shop.tenant}")
    assert {each["status"] for each in deliveries(shop, made["id"])} == {"succeeded"}
    attempts = deliveries(shop, made["id"])[0]["attempts"]
    assert [(each["status"], each["error"]) for each in attempts] == [(200, None)]
    handle([event_message(row) for row in flow.event_rows()])
    flow.run()
    assert len(receiver.got) == 6


def test_a_changed_delivery_is_refused_by_the_receiver(shop: Shop, receiver: Receiver) -> None:
    made = endpoint(shop, receiver)
    Flow(shop).run()
    [(headers, body)] = receiver.raw
    for number in range(len(body)):
        changed = body[:number] + bytes([body[number] ^ 1]) + body[number + 1 :]
        with pytest.raises(WebhookVerificationError):
            Webhook(made["secret"]).verify(changed, headers)


def test_only_wanted_types_that_happen_after_its_creation_arrive(shop: Shop, receiver: Receiver) -> None:
    paid(shop)
    flow = Flow(shop)
    endpoint(shop, receiver, types=["tradepost.order.paid"])
    flow.run()
    assert receiver.got == []
    paid(shop)
    flow.run()
    assert receiver.types == ["order.paid"]


def test_the_secret_is_shown_once_and_stored_nowhere(shop: Shop, receiver: Receiver) -> None:
    body, key = {"url": receiver.url}, uuid4().hex
    first, again = (shop.post("/webhook-endpoints", body, key) for _ in range(2))
    assert first.body == again.body
    assert again.headers["idempotent-replayed"] == "true"
    secret = first.json["secret"]
    path = f"/webhook-endpoints/{first.json['id']}"
    rotated = [shop.post(f"{path}/rotate-secret", None, key).json["secret"] for _ in range(2)]
    assert rotated[0] == rotated[1] != secret
    for shown in (shop.get(path), shop.get("/webhook-endpoints"), shop.patch(path, {"description": "x"}, "*")):
        assert b"secret" not in shown.body
    stored = _everything(shop)
    for each in (secret, rotated[0]):
        assert each.removeprefix("whsec_") not in stored


def _everything(shop: Shop) -> str:
    """Return all rows of a tenant as text, with what is compressed in them."""
    found = []
    for page in dynamodb().get_paginator("scan").paginate(TableName="tradepost"):
        for row in page["Items"]:
            if f"#{shop.tenant}#" in row["pk"]["S"]:
                found.append(str(row))
                found += [zlib.decompress(value["B"]).decode() for value in row.values() if "B" in value]
    return "".join(found)


def test_the_old_secret_signs_along_for_a_day(shop: Shop, receiver: Receiver, clock: Clock) -> None:
    made = endpoint(shop, receiver, types=["tradepost.order.paid"])
    path = f"/webhook-endpoints/{made['id']}"
    new = shop.post(f"{path}/rotate-secret", None).json["secret"]
    flow = Flow(shop)
    for old_is_valid in (True, False):
        shop.post(f"{path}/test", None)
        receiver.secret = ""
        flow.run()
        headers, body = receiver.raw[-1]
        assert len(headers["webhook-signature"].split()) == 1 + old_is_valid
        if old_is_valid:
            Webhook(made["secret"]).verify(body, headers)
            Webhook(new).verify(body, headers)
        clock.ahead = timedelta(hours=24, minutes=1)


def test_a_secret_that_was_replaced_twice_in_a_day_signs_along(shop: Shop, receiver: Receiver) -> None:
    """An answer may be lost, and the rotation be repeated."""
    made = endpoint(shop, receiver, types=["tradepost.order.paid"])
    path = f"/webhook-endpoints/{made['id']}"
    secrets = [made["secret"], *(shop.post(f"{path}/rotate-secret", None).json["secret"] for _ in range(2))]
    shop.post(f"{path}/test", None)
    Flow(shop).run()
    headers, body = receiver.raw[-1]
    for secret in secrets:
        Webhook(secret).verify(body, headers)


def test_a_failing_delivery_is_tried_for_three_days_and_can_be_retried(
    shop: Shop, receiver: Receiver, clock: Clock
) -> None:
    made = endpoint(shop, receiver, types=["tradepost.order.paid"])
    receiver.status, receiver.secret = 500, ""
    paid(shop)
    flow, started = Flow(shop), now()
    flow.run()
    for number in range(1, len(PAUSES)):
        [delivery] = deliveries(shop, made["id"], "status=pending")
        assert [each["status"] for each in delivery["attempts"]] == [500] * number
        clock.ahead = time_of(delivery["next_attempt_at"]) - now() + timedelta(seconds=1)
        if PAUSES[number] > timedelta(minutes=15):
            clock.ahead += timedelta(minutes=2)  # the sweep's turn
            sweep(flow)
        else:
            deliver_due(flow)
    assert timedelta(days=3) < clock.ahead + (now() - started) < timedelta(days=4)
    [delivery] = deliveries(shop, made["id"], "status=failed")
    assert (delivery["next_attempt_at"], len(delivery["attempts"])) == (None, len(PAUSES))
    receiver.status = 204
    path = f"/webhook-endpoints/{made['id']}"
    answer = shop.post(f"{path}/deliveries/{delivery['event_id']}/retry", None)
    assert (answer.status, answer.json["status"]) == (202, "pending")
    flow.run()
    [delivery] = deliveries(shop, made["id"])
    assert (delivery["status"], delivery["attempts"][-1]["status"]) == ("succeeded", 204)
    assert {headers["webhook-id"] for headers, _ in receiver.raw} == {delivery["event_id"]}


def test_messages_are_delayed_until_their_attempt_is_due(shop: Shop, receiver: Receiver, clock: Clock) -> None:
    made = endpoint(shop, receiver, types=["tradepost.order.paid"])
    receiver.status, receiver.secret = 500, ""
    shop.post(f"/webhook-endpoints/{made['id']}/test", None)
    flow = Flow(shop)
    flow.run()
    flow.relay()
    assert flow.messages(Queue.DELIVERIES) == []  # delayed by five seconds
    assert len(receiver.raw) == 1


def test_a_receiver_that_is_gone_is_disabled_at_once(shop: Shop, receiver: Receiver) -> None:
    made = endpoint(shop, receiver, types=["tradepost.order.paid", "tradepost.webhook.disabled"])
    receiver.status = 410
    paid(shop)
    flow = Flow(shop)
    flow.run(2)
    path = f"/webhook-endpoints/{made['id']}"
    shown = shop.get(path).json
    assert (shown["status"], shown["version"], shown["disabled_reason"]) == ("disabled", 2, "It answered 410 Gone.")
    assert [each["status"] for each in deliveries(shop, made["id"])] == ["failed"]
    kinds = [each["kind"] for row in flow.event_rows() for each in row["events"]]
    assert kinds.count("WebhookDisabled") == 1
    paid(shop)
    flow.run(2)
    assert len(receiver.raw) == 1
    assert shop.post(f"{path}/test", None).code == "INVALID_STATE"
    enabled = shop.patch(path, {"status": "enabled"}, '"2"').json
    assert (enabled["status"], enabled["disabled_reason"]) == ("enabled", None)


def test_five_days_of_failures_disable_an_endpoint(shop: Shop, receiver: Receiver, clock: Clock) -> None:
    made = endpoint(shop, receiver, types=["tradepost.order.paid"])
    receiver.status, receiver.secret = 503, ""
    path, flow = f"/webhook-endpoints/{made['id']}", Flow(shop)
    for days, status in ((0, "enabled"), (4.9, "enabled"), (5.1, "disabled")):
        clock.ahead = timedelta(days=days)
        shop.post(f"{path}/test", None)
        flow.run()
        assert shop.get(path).json["status"] == status
    assert shop.get(path).json["disabled_reason"] == "All attempts failed for 5 days."


def test_a_success_ends_a_row_of_failures(shop: Shop, receiver: Receiver, clock: Clock) -> None:
    made = endpoint(shop, receiver, types=["tradepost.order.paid"])
    receiver.secret = ""
    path, flow = f"/webhook-endpoints/{made['id']}", Flow(shop)
    for days, answer in ((0, 500), (4, 200), (4, 500), (6, 500)):
        clock.ahead, receiver.status = timedelta(days=days), answer
        shop.post(f"{path}/test", None)
        flow.run()
    assert shop.get(path).json["status"] == "enabled"


def test_a_success_between_a_change_of_the_endpoint_counts(shop: Shop, receiver: Receiver, clock: Clock) -> None:
    made = endpoint(shop, receiver, types=["tradepost.order.paid"])
    receiver.secret = ""
    path, flow = f"/webhook-endpoints/{made['id']}", Flow(shop)
    for days, answer in ((0, 500), (4, 200)):
        clock.ahead, receiver.status = timedelta(days=days), answer
        shop.post(f"{path}/test", None)
        if answer == 500:
            flow.run()
    with interleaved(flow.run):
        assert shop.patch(path, {"types": ["tradepost.order.refunded"]}, '"1"').status == 200
    clock.ahead, receiver.status = timedelta(days=6), 500
    shop.post(f"{path}/test", None)
    flow.run()
    assert shop.get(path).json["status"] == "enabled"


def test_an_endpoint_that_keeps_failing_is_left_alone_for_a_while(shop: Shop, receiver: Receiver, clock: Clock) -> None:
    made = endpoint(shop, receiver, types=["tradepost.item.created"])
    receiver.status, receiver.secret = 500, ""
    flow = Flow(shop)
    for _ in range(PATIENCE + 5):
        shop.add()
        flow.run()
    assert len(receiver.raw) == PATIENCE
    shop.post(f"/webhook-endpoints/{made['id']}/test", None)
    flow.run()
    assert len(receiver.raw) == PATIENCE + 1  # what is asked for is tried at once
    receiver.status = 200
    clock.ahead = timedelta(minutes=5)
    deliver_due(flow)
    assert {each["status"] for each in deliveries(shop, made["id"])} == {"succeeded"}


def test_there_are_no_more_endpoints_than_there_may_be(shop: Shop, receiver: Receiver) -> None:
    for _ in range(MAX_ENDPOINTS):
        endpoint(shop, receiver)
    assert shop.post("/webhook-endpoints", {"url": receiver.url}).code == "INVALID_STATE"
    found = shop.walk(7, "/webhook-endpoints?")
    assert len({each["id"] for each in found}) == MAX_ENDPOINTS
    assert [each["id"] for each in found] == sorted((each["id"] for each in found), reverse=True)


def test_an_endpoint_is_changed_and_deleted_by_version(shop: Shop, receiver: Receiver) -> None:
    made = endpoint(shop, receiver, types=["tradepost.order.paid"], description="Books")
    path = f"/webhook-endpoints/{made['id']}"
    shown = shop.get(path)
    assert shown.json == {name: value for name, value in made.items() if name != "secret"}
    changed = shop.patch(path, {"types": None, "description": None}, shown.etag)
    assert (changed.json["types"], changed.json["description"], changed.json["version"]) == (None, None, 2)
    assert shop.patch(path, {"ordering": "subject"}, shown.etag).code == "PRECONDITION_FAILED"
    assert shop.patch(path, {"types": ["nonsense"]}, "*").pointers == ["/types"]
    assert shop.delete(path, shown.etag).status == 412
    assert shop.delete(path, changed.etag).status == 204
    for answer in (shop.get(path), shop.get(f"{path}/deliveries"), shop.post(f"{path}/test", None)):
        assert answer.status == 404
    Flow(shop).run(2)


def test_what_was_not_delivered_to_a_deleted_endpoint_is_dropped(shop: Shop, receiver: Receiver, clock: Clock) -> None:
    for ordering in ("none", "subject"):
        made = endpoint(shop, receiver, ordering=ordering)
        paid(shop)
        flow = Flow(shop)
        handle([event_message(row) for row in flow.event_rows()])
        rows = flow.due_rows()
        shop.delete(f"/webhook-endpoints/{made['id']}", "*")
        for row in rows:
            if "gsi3sk" in row:
                body = {"tenant": shop.tenant, "pk": row["pk"], "sk": row["sk"], "due": row["gsi3sk"]}
                invoke("DeliverWebhooks", {"Records": [{"body": json.dumps(body)}]})
    assert receiver.raw == []


def test_only_owners_manage_endpoints_and_only_their_own(shop: Shop, receiver: Receiver) -> None:
    made = endpoint(shop, receiver)
    shop.post(f"/webhook-endpoints/{made['id']}/test", None)
    [delivery] = deliveries(shop, made["id"])
    path = f"/webhook-endpoints/{made['id']}"
    retry = f"{path}/deliveries/{delivery['event_id']}/retry"
    for role in ("staff", "customer"):
        other = shop.acting_as(role)
        assert {other.get(each).status for each in ("/webhook-endpoints", path, f"{path}/deliveries")} == {403}
        assert {other.post(each, None).status for each in (f"{path}/test", retry)} == {403}
    stranger = Shop(shop.send)
    assert {stranger.get(each).status for each in (path, f"{path}/deliveries")} == {404}
    assert {stranger.post(each, None).status for each in (f"{path}/test", f"{path}/rotate-secret", retry)} == {404}
    other_id = delivery["event_id"][:-1] + ("1" if delivery["event_id"].endswith("0") else "0")
    assert shop.post(f"{path}/deliveries/{other_id}/retry", None).status == 404
