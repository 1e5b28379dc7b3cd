"""Tests of payments by a provider, whichever it is: authorised, locked, captured, finished."""

from datetime import timedelta
from typing import Any

import pytest

from tests.faults import interleaved
from tests.integration.payments.clock import Clock, expire, sweep
from tests.integration.payments.till import ORDER, Till
from tests.shop import Shop


def _authorized_only(till: Till, payment: dict[str, Any]) -> None:
    """Let the provider authorise a payment, which has not locked its order yet."""
    if till.provider == "paypal":
        with till.silent(after=till.calls_to_look - 1):
            till.refresh(payment)
    assert till.held() == ["authorization"]


def test_a_confirmed_payment_is_captured_and_pays_its_order(till: Till) -> None:
    order = till.order()
    payment = till.begun(order)
    assert (payment["status"], payment["amount"], payment["transaction_id"]) == ("requires_action", ORDER, None)
    assert till.state(order) == ("pending", "unpaid")
    till.confirm(payment)
    assert till.held() == ["nothing" if till.provider == "paypal" else "authorization"]
    done = till.refresh(payment)
    assert (done.status, done.json["status"]) == (200, "captured")
    assert "client_secret" not in done.json
    assert till.state(order) == ("paid", "paid")
    assert till.money() == till.books() == 2598
    assert till.shop.get(f"/orders/{order}/payments").json["items"] == [done.json]
    assert till.shop.get(f"/payments/{payment['id']}").json == done.json
    assert till.refresh(payment).json == done.json


def test_a_key_begins_one_payment_and_answers_its_state_until_that_is_final(till: Till) -> None:
    order = till.order()
    first, again = till.pay(order, "k"), till.pay(order, "k")
    assert first.json == again.json
    assert "idempotent-replayed" not in again.headers
    till.confirm(first.json)
    till.refresh(first.json)
    captured = till.pay(order, "k")
    assert (captured.status, captured.json["status"]) == (201, "captured")
    till.shop.move(order, "refund")
    replay = till.pay(order, "k")
    assert (replay.body, replay.headers["idempotent-replayed"]) == (captured.body, "true")
    other = till.shop.post(f"/orders/{order}/payments", {"provider": till.provider, "reference": "other"}, "k")
    assert (other.status, other.code) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert len(till.held()) == 1


def test_an_open_key_refuses_another_body(till: Till) -> None:
    order = till.order()
    till.pay(order, "k")
    other = till.shop.post(f"/orders/{order}/payments", {"provider": till.provider, "reference": "other"}, "k")
    assert (other.status, other.code) == (422, "IDEMPOTENCY_KEY_REUSED")


def test_a_declined_card_can_be_replaced_by_another(till: Till) -> None:
    order = till.order()
    payment = till.begun(order)
    till.decline(payment)
    shown = till.refresh(payment).json
    assert shown["status"] == "requires_action"
    assert "declined" in shown["failure"]
    till.confirm(payment)
    assert till.refresh(payment).json["status"] == "captured"


def test_of_two_payments_one_is_captured_and_the_other_voided(till: Till, clock: Clock, rival: Shop) -> None:
    order = till.order()
    payments = [till.begun(order), till.begun(order)]
    for payment in payments:
        till.confirm(payment)
    rival.user = till.shop.user
    with interleaved(lambda: rival.post(f"/payments/{payments[1]['id']}/refresh", None)):
        till.refresh(payments[0])
    clock.ahead = timedelta(minutes=30)
    sweep()
    states = sorted(till.payment(each)["status"] for each in payments)
    assert states == ["captured", "voided"]
    assert till.money() == till.books() == 2598
    assert sorted(till.held()) == ["money", "void"]


def test_an_order_that_ended_is_never_captured(till: Till, clock: Clock) -> None:
    order = till.order()
    payment = till.begun(order)
    till.confirm(payment)
    till.shop.move(order, "cancel")
    assert till.refresh(payment).json["status"] == "voided"
    assert (till.money(), till.held()) == (0, ["void"])
    refused = till.pay(order)
    assert (refused.status, refused.code) == (409, "INVALID_STATE")


def test_an_order_whose_time_is_over_voids_what_was_not_confirmed(till: Till, clock: Clock) -> None:
    order = till.order()
    payment = till.begun(order)
    clock.ahead = timedelta(minutes=20)
    expire()
    assert till.state(order) == ("expired", "unpaid")
    sweep()
    assert till.payment(payment)["status"] == "voided"
    till.confirm(payment)
    assert "authorization" not in till.held()


def test_an_order_that_is_being_captured_can_only_wait(till: Till, clock: Clock) -> None:
    order = till.order()
    payment = till.begun(order)
    till.confirm(payment)
    with till.silent():
        answer = till.refresh(payment)
    assert (answer.status, answer.code) == (503, "PROVIDER_UNAVAILABLE")
    with till.silent(after=till.calls_to_look):
        answer = till.refresh(payment)
    assert (answer.status, answer.json["status"]) == (202, "processing")
    assert till.state(order) == ("pending", "authorizing")
    for attempt in (till.shop.move(order, "cancel"), till.shop.pay(order), till.pay(order)):
        assert (attempt.status, attempt.code) == (409, "PAYMENT_IN_PROGRESS")
    assert till.shop.post(f"/payments/{payment['id']}/cancel", None).code == "PAYMENT_IN_PROGRESS"
    clock.ahead = timedelta(minutes=40)
    expire()
    assert till.state(order) == ("pending", "authorizing")
    sweep()
    assert till.state(order) == ("paid", "paid")
    assert till.money() == till.books() == 2598


def test_a_refused_capture_reopens_the_order(till: Till) -> None:
    order = till.order()
    payment = till.begun(order)
    till.confirm(payment)
    _authorized_only(till, payment)
    till.refuse_capture(payment)
    shown = till.refresh(payment).json
    assert shown["status"] == "voided"
    assert till.state(order) == ("pending", "unpaid")
    other = till.begun(order)
    till.confirm(other)
    assert till.refresh(other).json["status"] == "captured"
    assert till.money() == till.books() == 2598


@pytest.mark.parametrize("status", [409, 429, 500])
def test_an_answer_that_decides_nothing_keeps_the_order_locked(till: Till, status: int) -> None:
    order = till.order()
    payment = till.begun(order)
    till.confirm(payment)
    with till.answering(status, {"Stripe-Should-Retry": "false"}, after=till.calls_to_look):
        assert till.refresh(payment).status == 202
    assert till.state(order) == ("pending", "authorizing")
    assert till.refresh(payment).json["status"] == "captured"
    assert till.money() == till.books() == 2598


def test_a_capture_that_was_refunded_elsewhere_reopens_the_order(till: Till) -> None:
    order = till.order()
    payment = till.begun(order)
    till.confirm(payment)
    with till.silent(after=till.calls_before_capture):
        till.refresh(payment)
    till.refund_elsewhere(payment)
    assert till.refresh(payment).json["status"] == "failed"
    assert till.state(order) == ("pending", "unpaid")
    assert till.money() == till.books() == 0


def test_refused_credentials_do_not_end_a_payment(till: Till) -> None:
    order = till.order()
    payment = till.pay(order, "k").json
    till.confirm(payment)
    with till.answering(401, {}):
        assert till.pay(order, "k").code == "PROVIDER_UNAVAILABLE"
        assert till.refresh(payment).code == "PROVIDER_UNAVAILABLE"
    assert till.pay(order, "k").json["status"] == "captured"


def test_refused_credentials_begin_nothing_that_cannot_be_repeated(till: Till) -> None:
    order = till.order()
    with till.answering(401, {}):
        assert till.pay(order, "k").code == "PROVIDER_UNAVAILABLE"
    begun = till.pay(order, "k")
    assert (begun.status, begun.json["status"]) == (201, "requires_action")
    assert len(till.held()) == 1


def test_strange_ids_are_not_found(till: Till) -> None:
    assert till.pay("order_7ZZZZZZZZZZZZZZZZZZZZZZZZZ").status == 404
    assert till.shop.get("/payments/payment_7ZZZZZZZZZZZZZZZZZZZZZZZZZ").status == 404


def test_a_cancelled_payment_is_void(till: Till) -> None:
    payment = till.begun(till.order())
    cancelled = till.shop.post(f"/payments/{payment['id']}/cancel", None)
    assert (cancelled.status, cancelled.json["status"]) == (200, "voided")
    till.confirm(payment)
    assert "authorization" not in till.held()
    assert till.shop.post(f"/payments/{payment['id']}/cancel", None).json["status"] == "voided"
    paid = till.begun(till.order())
    till.confirm(paid)
    till.refresh(paid)
    assert till.shop.post(f"/payments/{paid['id']}/cancel", None).code == "INVALID_STATE"


def test_a_provider_that_is_silent_at_the_beginning_is_asked_again(till: Till, clock: Clock) -> None:
    order = till.order()
    with till.silent():
        answer = till.pay(order, "k")
    assert (answer.status, answer.json["status"]) == (202, "processing")
    assert till.pay(order, "k").json["status"] == "requires_action"
    assert len(till.held()) == 1


def test_an_authorization_that_lapses_reopens_nothing_and_voids_the_payment(till: Till) -> None:
    payment = till.begun(till.order())
    till.confirm(payment)
    _authorized_only(till, payment)
    till.lapse(payment)
    assert till.refresh(payment).json["status"] == "voided"


def test_customers_pay_their_own_orders_only(till: Till) -> None:
    item = till.shop.add(stock=5)["id"]
    customer, other = till.shop.acting_as("customer"), till.shop.acting_as("customer")
    order = customer.order({item: 1}).json["id"]
    assert customer.pay(order).status == 403
    assert other.post(f"/orders/{order}/payments", {"provider": till.provider}, "k").status == 404
    begun = customer.post(f"/orders/{order}/payments", {"provider": till.provider}, "k")
    assert begun.status == 201
    for path in ("refresh", "cancel"):
        assert other.post(f"/payments/{begun.json['id']}/{path}", None).status == 404
    assert other.get(f"/payments/{begun.json['id']}").status == 404
    assert customer.get(f"/payments/{begun.json['id']}").json == begun.json


def test_a_manual_payment_shows_as_any_other(till: Till) -> None:
    order = till.order()
    begun = till.begun(order)
    manual = till.shop.pay(order).json
    assert till.payment(manual) == manual
    assert {each["id"] for each in till.shop.walk(1, f"/orders/{order}/payments?")} == {manual["id"], begun["id"]}
    assert till.refresh(begun).json["status"] == "voided"
    assert till.refresh(manual).json == manual
