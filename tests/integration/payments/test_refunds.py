"""Tests of refunds of payments by a provider: begun, asked for, made."""

from datetime import timedelta
from typing import Any

import pytest

from tests.integration.payments.clock import Clock, sweep
from tests.integration.payments.till import Till


@pytest.fixture
def paid(till: Till) -> str:
    order = till.order()
    payment = till.begun(order)
    till.confirm(payment)
    assert till.refresh(payment).json["status"] == "captured"
    return order


def _refund(till: Till, order: str, body: dict[str, Any], key: str = "r") -> Any:
    return till.shop.post(f"/orders/{order}/refunds", body, key)


def _cents(till: Till, amount: str) -> dict[str, Any]:
    return {"amount": {"amount": amount, "currency": "EUR"}}


def test_a_refund_gives_money_back_in_parts_and_as_a_whole(till: Till, paid: str) -> None:
    part = _refund(till, paid, _cents(till, "5.00"))
    assert (part.status, part.json["status"]) == (201, "succeeded")
    assert till.money() == till.books() == 2098
    assert till.state(paid) == ("paid", "partially_refunded")
    whole = till.shop.move(paid, "refund")
    assert (whole.status, whole.json["status"], whole.json["payment_status"]) == (200, "refunded", "refunded")
    assert till.money() == till.books() == 0
    [payment] = till.shop.get(f"/orders/{paid}/payments").json["items"]
    assert payment["status"] == "refunded"


def test_a_refund_is_made_once_whatever_becomes_of_the_answer(till: Till, paid: str) -> None:
    with till.silent():
        open_one = _refund(till, paid, _cents(till, "5.00"))
    assert (open_one.status, open_one.json["status"]) == (202, "pending")
    other = _refund(till, paid, _cents(till, "1.00"), "other")
    assert (other.status, other.code) == (409, "PAYMENT_IN_PROGRESS")
    assert till.shop.move(paid, "refund").code == "PAYMENT_IN_PROGRESS"
    made = _refund(till, paid, _cents(till, "5.00"))
    assert (made.status, made.json["id"], made.json["status"]) == (201, open_one.json["id"], "succeeded")
    replay = _refund(till, paid, _cents(till, "5.00"))
    assert (replay.body, replay.headers["idempotent-replayed"]) == (made.body, "true")
    assert till.money() == till.books() == 2098


def test_a_sweep_finishes_a_refund_that_was_left_open(till: Till, paid: str, clock: Clock) -> None:
    with till.silent(after=1):
        assert till.shop.move(paid, "refund", "whole").status == 202
    assert till.state(paid) == ("paid", "paid")
    assert (till.money(), till.books()) == (0, 2598)
    clock.ahead = timedelta(minutes=3)
    sweep()
    assert till.state(paid) == ("refunded", "refunded")
    assert till.money() == till.books() == 0
    late = till.shop.move(paid, "refund", "whole")
    assert (late.status, late.json["status"]) == (200, "refunded")


def test_a_refund_is_not_repeated_when_its_key_is_forgotten(till: Till, paid: str, clock: Clock) -> None:
    with till.silent(after=1):
        assert _refund(till, paid, _cents(till, "5.00")).status == 202
    till.forget_keys()
    clock.ahead = timedelta(minutes=3)
    sweep()
    assert till.money() == till.books() == 2098


@pytest.mark.parametrize("status", [409, 429, 500])
def test_an_answer_that_decides_nothing_leaves_a_refund_open(till: Till, paid: str, status: int) -> None:
    headers = {"Stripe-Should-Retry": "false"}
    with till.answering(status, headers, after=1):
        assert _refund(till, paid, _cents(till, "5.00")).status == 202
    assert till.money() == 2098
    assert _refund(till, paid, _cents(till, "5.00")).status == 201
    assert till.money() == till.books() == 2098


@pytest.mark.parametrize("status", ["pending", "failed"])
def test_a_refund_is_made_when_it_has_succeeded(till: Till, paid: str, status: str) -> None:
    with till.refunds_are(status):
        answer = _refund(till, paid, _cents(till, "5.00"))
    if status == "failed":
        assert (answer.status, answer.code) == (409, "INVALID_STATE")
        return
    assert (answer.status, answer.json["status"]) == (202, "pending")
    assert till.books() == 2598
    till.settle_refunds()
    assert _refund(till, paid, _cents(till, "5.00")).status == 201
    assert till.books() == 2098


def test_a_key_refuses_another_body_of_a_refund(till: Till, paid: str) -> None:
    with till.silent():
        assert _refund(till, paid, _cents(till, "5.00")).status == 202
    assert _refund(till, paid, _cents(till, "7.00")).code == "IDEMPOTENCY_KEY_REUSED"
    assert _refund(till, paid, _cents(till, "5.00")).status == 201
    assert _refund(till, paid, _cents(till, "7.00")).code == "IDEMPOTENCY_KEY_REUSED"


def test_nothing_is_begun_that_cannot_be_asked_for(till: Till, paid: str) -> None:
    till.shop.call("DELETE", f"/payment-providers/{till.provider}")
    assert _refund(till, paid, _cents(till, "5.00")).code == "INVALID_STATE"
    till.set()
    assert _refund(till, paid, _cents(till, "5.00"), "again").status == 201


def test_refused_credentials_leave_a_refund_open(till: Till, paid: str) -> None:
    with till.silent(after=1):
        assert _refund(till, paid, _cents(till, "5.00")).status == 202
    with till.answering(401, {}):
        assert _refund(till, paid, _cents(till, "5.00")).status == 202
    assert _refund(till, paid, _cents(till, "5.00")).status == 201
    assert till.money() == till.books() == 2098


def test_a_refund_changes_the_etag_of_its_payment(till: Till, paid: str) -> None:
    [payment] = till.shop.get(f"/orders/{paid}/payments").json["items"]
    before = till.shop.get(f"/payments/{payment['id']}")
    _refund(till, paid, _cents(till, "5.00"))
    after = till.shop.get(f"/payments/{payment['id']}", If_None_Match=before.headers["etag"])
    assert (after.status, after.json["status"]) == (200, "partially_refunded")


def test_a_refused_refund_changes_nothing(till: Till, paid: str) -> None:
    [payment] = till.shop.get(f"/orders/{paid}/payments").json["items"]
    till.refund_elsewhere(payment, "20.00")
    refused = _refund(till, paid, _cents(till, "10.00"))
    assert (refused.status, refused.code) == (409, "INVALID_STATE")
    assert "refused the refund" in refused.json["detail"]
    assert till.state(paid) == ("paid", "paid")
    assert _refund(till, paid, _cents(till, "5.00"), "smaller").status == 201


def test_an_order_can_be_shipped_while_its_refund_is_open(till: Till, paid: str, clock: Clock) -> None:
    item = till.shop.get(f"/orders/{paid}").json["lines"][0]["item_id"]
    with till.silent():
        _refund(till, paid, {"lines": [{"item_id": item, "quantity": 1}]})
    assert till.shop.move(paid, "ship").status == 200
    clock.ahead = timedelta(minutes=3)
    sweep()
    order = till.shop.get(f"/orders/{paid}").json
    assert (order["status"], order["payment_status"]) == ("shipped", "partially_refunded")
    assert (order["lines"][0]["shipped"], order["lines"][0]["returned"]) == (2, 1)
    assert till.money() == till.books() == 1299
