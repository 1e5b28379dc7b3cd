"""Tests of events that Stripe sends: signed, kept once, and no more than a reason to ask."""

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from domain.common.environment import now
from local.simulators.banks import signature
from repositories.aws.clients import dynamodb
from repositories.dynamodb import keys
from repositories.dynamodb.codec import decode, encode
from repositories.payments.incoming.signatures import is_signed
from tests.integration.payments.common import Clock, Till, sweep


def _event(till: Till, paid_by: dict[str, Any], /, **metadata: str) -> dict[str, Any]:
    about = {"metadata": {"tenant": till.shop.tenant, "payment": paid_by["id"]} | metadata, "status": "succeeded"}
    kind = "payment_intent.succeeded"
    return {"id": f"evt_{uuid4().hex}", "object": "event", "type": kind, "data": {"object": about}}


def _row(till: Till, event: dict[str, Any]) -> dict[str, Any] | None:
    key = keys.inbox(till.shop.tenant, "stripe", event["id"])
    found = dynamodb().get_item(TableName="tradepost", Key=encode(key._asdict())).get("Item")
    return decode(found) if found else None


def test_an_event_makes_its_payment_go_on(till: Till) -> None:
    order = till.order()
    payment = till.begun(order)
    till.confirm(payment)
    event = _event(till, payment)
    assert till.notify(json.dumps(event)).status == 204
    assert till.notify(json.dumps(event)).status == 204
    till.process(event)
    assert till.state(order) == ("paid", "paid")
    row = _row(till, event)
    assert row
    assert row["outcome"] == "captured"
    assert "gsi3pk" not in row
    till.process(event)


def test_what_an_event_says_of_money_is_not_believed(till: Till) -> None:
    order = till.order()
    payment = till.begun(order)
    event = _event(till, payment)
    till.notify(json.dumps(event))
    till.process(event)
    assert till.state(order) == ("pending", "unpaid")


def test_an_event_whose_message_was_lost_is_swept(till: Till, clock: Clock) -> None:
    order = till.order()
    payment = till.begun(order)
    till.confirm(payment)
    event = _event(till, payment)
    till.notify(json.dumps(event))
    clock.ahead = timedelta(minutes=3)
    sweep()
    assert till.state(order) == ("paid", "paid")
    row = _row(till, event)
    assert row
    assert row["outcome"]


def test_an_event_of_a_payment_that_is_not_there_is_not_lost(till: Till, clock: Clock) -> None:
    payment = till.begun(till.order())
    unknown = _event(till, payment, payment=f"payment_{'0' * 26}")
    till.notify(json.dumps(unknown))
    till.process(unknown)
    row = _row(till, unknown)
    assert row
    assert "gsi3pk" in row
    clock.ahead = timedelta(minutes=3)
    sweep()
    row = _row(till, unknown)
    assert row
    assert row["gsi3sk"].endswith("#1")
    clock.ahead = timedelta(hours=25)
    till.process(unknown)
    row = _row(till, unknown)
    assert row
    assert row["outcome"] == "given up"


@pytest.mark.parametrize("metadata", [{"tenant": "another"}, {"payment": "pay_1"}, {"payment": "../x"}])
def test_an_event_of_others_is_left_out(till: Till, metadata: dict[str, str]) -> None:
    event = _event(till, till.begun(till.order()), **metadata)
    assert till.notify(json.dumps(event)).status == 204
    assert _row(till, event) is None


@pytest.mark.parametrize("body", ["[]", "7", "nonsense", '{"id":"evt_1"}', '{"data":{"object":{"metadata":7}}}'])
def test_strange_bodies_are_answered(till: Till, body: str) -> None:
    assert till.notify(body).status in {204, 400}


def test_a_signature_is_of_this_tenant_this_body_and_this_time(till: Till) -> None:
    event = json.dumps(_event(till, till.begun(till.order())))
    assert till.notify(event, secret="whsec_other").status == 400
    path, good = (
        f"/v1/payment-events/stripe/{till.shop.tenant}",
        signature(event, till.webhook_secret, now().timestamp()),
    )
    send, at = till.shop.send, now().timestamp()
    for header in (
        "",
        "t=1",
        "v1=00",
        f"t={'9' * 400},v1=0",
        f"t={'9' * 5000},v1=0",
        signature(event, till.webhook_secret, at - 301),
        good.replace("v1", "v0"),
    ):
        answer = send("POST", path, {"Stripe-Signature": header}, event.encode())
        assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
    assert send("POST", path, {"Stripe-Signature": good}, event.encode() + b" ").status == 400
    assert send("POST", path, {"Stripe-Signature": f"{good},v1=00"}, event.encode()).status == 204
    for other in ("/v1/payment-events/stripe/no-such-tenant", "/v1/payment-events/stripe/A!"):
        assert send("POST", other, {"Stripe-Signature": good}, event.encode()).status in {400, 404}
    assert send("POST", f"/v1/payment-events/none/{till.shop.tenant}", {}, b"").status == 404


def test_every_change_of_a_byte_is_noticed() -> None:
    body, at = b'{"id": "evt_1"}', now()
    header = signature(body.decode(), "whsec_1", at.timestamp())
    assert is_signed(body, header, ["whsec_0", "whsec_1"], at)
    for place in range(len(body)):
        changed = body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]
        assert not is_signed(changed, header, ["whsec_1"], at)
    for place in range(len(header)):
        for other in ("0", "x"):
            if header[place] != other:
                assert not is_signed(body, header[:place] + other + header[place + 1 :], ["whsec_1"], at)


def test_the_secret_before_the_last_one_stays_valid(till: Till) -> None:
    event, old = json.dumps(_event(till, till.begun(till.order()))), till.webhook_secret
    till.set(credentials={"webhook_secret": "whsec_new"})
    assert till.notify(event, secret=old).status == till.notify(event, secret="whsec_new").status == 204
    till.set(credentials={"webhook_secret": "whsec_newer"})
    assert till.notify(event, secret=old).status == 400
