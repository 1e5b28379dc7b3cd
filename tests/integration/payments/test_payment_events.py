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
from repositories.payments.providers.stripe.signatures import is_signed
from tests.faults import interleaved
from tests.integration.payments.clock import Clock, sweep
from tests.integration.payments.tills import StripeTill


def _event(stripe: StripeTill, paid_by: dict[str, Any], /, **metadata: str) -> dict[str, Any]:
    about = {"metadata": {"tenant": stripe.shop.tenant, "payment": paid_by["id"]} | metadata, "status": "succeeded"}
    kind = "payment_intent.succeeded"
    return {"id": f"evt_{uuid4().hex}", "object": "event", "type": kind, "data": {"object": about}}


def _row(stripe: StripeTill, event: dict[str, Any]) -> dict[str, Any] | None:
    key = keys.inbox(stripe.shop.tenant, "stripe", event["id"])
    found = dynamodb().get_item(TableName="tradepost", Key=encode(key._asdict())).get("Item")
    return decode(found) if found else None


def test_an_event_makes_its_payment_go_on(stripe: StripeTill) -> None:
    order = stripe.order()
    payment = stripe.begun(order)
    stripe.confirm(payment)
    event = _event(stripe, payment)
    assert stripe.notify(json.dumps(event)).status == 204
    assert stripe.notify(json.dumps(event)).status == 204
    stripe.process(event)
    assert stripe.state(order) == ("paid", "paid")
    row = _row(stripe, event)
    assert row
    assert row["outcome"] == "captured"
    assert "gsi3pk" not in row
    stripe.process(event)
    assert stripe.notify(json.dumps(event)).status == 204
    assert _row(stripe, event) == row


def test_an_event_that_is_forgotten_while_it_is_processed_stays_so(stripe: StripeTill) -> None:
    event = _event(stripe, stripe.begun(stripe.order()))
    stripe.notify(json.dumps(event))
    key = encode(keys.inbox(stripe.shop.tenant, "stripe", event["id"])._asdict())
    with interleaved(lambda: dynamodb().delete_item(TableName="tradepost", Key=key)):
        stripe.process(event)
    assert _row(stripe, event) is None


def test_what_an_event_says_of_money_is_not_believed(stripe: StripeTill) -> None:
    order = stripe.order()
    payment = stripe.begun(order)
    event = _event(stripe, payment)
    stripe.notify(json.dumps(event))
    stripe.process(event)
    assert stripe.state(order) == ("pending", "unpaid")


def test_an_event_whose_message_was_lost_is_swept(stripe: StripeTill, clock: Clock) -> None:
    order = stripe.order()
    payment = stripe.begun(order)
    stripe.confirm(payment)
    event = _event(stripe, payment)
    stripe.notify(json.dumps(event))
    clock.ahead = timedelta(minutes=3)
    sweep()
    assert stripe.state(order) == ("paid", "paid")
    row = _row(stripe, event)
    assert row
    assert row["outcome"]


def test_an_event_of_a_payment_that_is_not_there_is_not_lost(stripe: StripeTill, clock: Clock) -> None:
    payment = stripe.begun(stripe.order())
    unknown = _event(stripe, payment, payment=f"payment_{'0' * 26}")
    stripe.notify(json.dumps(unknown))
    stripe.process(unknown)
    row = _row(stripe, unknown)
    assert row
    assert "gsi3pk" in row
    clock.ahead = timedelta(minutes=3)
    sweep()
    row = _row(stripe, unknown)
    assert row
    assert row["gsi3sk"].endswith("#1")
    clock.ahead = timedelta(hours=25)
    stripe.process(unknown)
    row = _row(stripe, unknown)
    assert row
    assert row["outcome"] == "given up"


@pytest.mark.parametrize("metadata", [{"tenant": "another"}, {"payment": "pay_1"}, {"payment": "../x"}])
def test_an_event_of_others_is_left_out(stripe: StripeTill, metadata: dict[str, str]) -> None:
    event = _event(stripe, stripe.begun(stripe.order()), **metadata)
    assert stripe.notify(json.dumps(event)).status == 204
    assert _row(stripe, event) is None


@pytest.mark.parametrize("body", ["[]", "7", "nonsense", '{"id":"evt_1"}', '{"data":{"object":{"metadata":7}}}'])
def test_strange_bodies_are_answered(stripe: StripeTill, body: str) -> None:
    assert stripe.notify(body).status in {204, 400}


def test_a_signature_is_of_this_tenant_this_body_and_this_time(stripe: StripeTill) -> None:
    event = json.dumps(_event(stripe, stripe.begun(stripe.order())))
    assert stripe.notify(event, webhook="whsec_other").status == 400
    path, good = (
        f"/v1/payment-events/stripe/{stripe.shop.tenant}",
        signature(event, stripe.webhook, now().timestamp()),
    )
    send, at = stripe.shop.send, now().timestamp()
    for header in (
        "",
        "t=1",
        "v1=00",
        f"t={'9' * 400},v1=0",
        f"t={'9' * 5000},v1=0",
        signature(event, stripe.webhook, at - 301),
        good.replace("v1", "v0"),
    ):
        answer = send("POST", path, {"Stripe-Signature": header}, event.encode())
        assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
    assert send("POST", path, {"Stripe-Signature": good}, event.encode() + b" ").status == 400
    assert send("POST", path, {"Stripe-Signature": f"{good},v1=00"}, event.encode()).status == 204
    for other in ("/v1/payment-events/stripe/no-such-tenant", "/v1/payment-events/stripe/A!"):
        assert send("POST", other, {"Stripe-Signature": good}, event.encode()).status in {400, 404}
    assert send("POST", f"/v1/payment-events/none/{stripe.shop.tenant}", {}, b"").status == 404


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


def test_the_secret_before_the_last_one_stays_valid(stripe: StripeTill) -> None:
    event, old = json.dumps(_event(stripe, stripe.begun(stripe.order()))), stripe.webhook
    stripe.set(credentials={"webhook_secret": "whsec_new"})
    assert stripe.notify(event, webhook=old).status == stripe.notify(event, webhook="whsec_new").status == 204
    stripe.set(credentials={"webhook_secret": "whsec_newer"})
    assert stripe.notify(event, webhook=old).status == 400
