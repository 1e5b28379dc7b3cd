"""Tests of reconciliation: the books have what the balance at the provider has, fees, disputes and payouts included."""

import json
from datetime import timedelta
from typing import Any

import pytest

from repositories.aws.clients import dynamodb
from repositories.dynamodb import keys
from repositories.dynamodb.codec import decode, encode
from repositories.payments.accounting import posting, reconciling
from tests.integration.payments.clock import Clock, sweep
from tests.integration.payments.till import Till
from tests.integration.payments.tills import PayPalTill, StripeTill


def _paid(till: Till) -> str:
    order = till.order()
    payment = till.begun(order)
    till.confirm(payment)
    assert till.refresh(payment).json["status"] == "captured"
    return order


def _reconcile(till: Till, clock: Clock, hours: float = 1) -> dict[str, Any]:
    """Let time pass until the balance is read, and return the provider as it is shown then."""
    clock.ahead += timedelta(hours=hours, minutes=2)
    sweep()
    return _shown(till)


def _shown(till: Till) -> dict[str, Any]:
    shown: dict[str, Any] = till.shop.get(f"/payment-providers/{till.provider}").json
    return shown


def _balance(till: Till) -> int:
    """Return the balance that the provider shows, in cents."""
    if isinstance(till, StripeTill):
        return sum(each["net"] for each in till.banks.store.all(till.account, "balance_transaction"))
    assert isinstance(till, PayPalTill)
    [euros] = till.paypal("GET", "/v1/reporting/balances").json()["balances"]
    return round(float(euros["total_balance"]["value"]) * 100)


def _agrees(till: Till, clock: Clock) -> dict[str, int]:
    """Reconcile, and return the balances of the books, which agree with the provider's."""
    shown = _reconcile(till, clock)
    assert shown["difference"] == []
    assert shown["compared_at"]
    balances = till.balances()
    assert balances[till.provider] == _balance(till)
    return balances


def test_fees_are_posted_once(till: Till, clock: Clock) -> None:
    _paid(till)
    fees = {"stripe": 64, "paypal": 130}[till.provider]
    for _ in range(3):
        balances = _agrees(till, clock)
        assert balances["provider_fees"] == fees
        assert balances["sales"] == 2598


def test_refunds_of_ours_are_not_posted_again(till: Till, clock: Clock) -> None:
    order = _paid(till)
    till.shop.post(f"/orders/{order}/refunds", {"amount": {"amount": "5.00", "currency": "EUR"}}, "r")
    assert _agrees(till, clock)["sales"] == 2098


def test_what_is_refunded_elsewhere_is_owed_by_nobody_and_shown(till: Till, clock: Clock) -> None:
    order = _paid(till)
    [payment] = till.shop.get(f"/orders/{order}/payments").json["items"]
    till.refund_elsewhere(payment, "5.00")
    balances = _agrees(till, clock)
    assert (balances["sales"], balances["unapplied"]) == (2598, -500)


def test_late_money_and_its_return_are_posted_once(stripe: StripeTill, clock: Clock) -> None:
    order = stripe.order()
    payment = stripe.begun(order)
    stripe.banks.stripe.make_automatic(stripe.account, stripe.external_id(payment))
    stripe.confirm(payment)
    stripe.shop.move(order, "cancel")
    assert stripe.refresh(payment).json["status"] == "refunded"
    balances = _agrees(stripe, clock)
    assert balances["unapplied"] == 0
    assert balances["stripe"] == -balances["provider_fees"]


def test_a_movement_waits_until_its_command_has_decided(
    till: Till, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The money is captured, and the answer lost: the payment is open when the balance is read."""
    order = till.order()
    payment = till.begun(order)
    till.confirm(payment)
    with till.silent(after=till.calls_before_capture):
        till.refresh(payment)
    assert till.money() == 2598
    reported: list[str] = []
    monkeypatch.setattr(
        "handlers.triggers.sweep_payments.report_failures",
        lambda _, swept: reported.extend(
            each.reason for work, each in swept.failed.items() if work == f"{till.shop.tenant}.{till.provider}"
        ),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("repositories.payments.sweeping._payment", lambda *_: False)
        for _ in range(2):
            shown = _reconcile(till, clock)
            assert [each["currency"] for each in shown["difference"]] == ["EUR"]
        assert reported == []
        _reconcile(till, clock, 7)
        [reason] = reported
        assert f"the balance at {till.provider} differs" in reason
    till.refresh(payment)
    assert _agrees(till, clock)["sales"] == 2598
    assert len(reported) == 1


def test_a_refund_that_fails_at_the_provider_is_owed_to_nobody(till: Till, clock: Clock) -> None:
    order = _paid(till)
    with till.refunds_are("failed"):
        till.shop.post(f"/orders/{order}/refunds", {"amount": {"amount": "5.00", "currency": "EUR"}}, "r")
    balances = _agrees(till, clock)
    assert (balances["sales"], balances.get("unapplied", 0)) == (2598, 0)


def test_a_dispute_that_is_lost_costs_its_amount_and_fee(stripe: StripeTill, clock: Clock) -> None:
    order = stripe.order()
    payment = stripe.begun(order)
    stripe.pay_with(payment, "pm_card_createDispute")
    stripe.refresh(payment)
    balances = _agrees(stripe, clock)
    assert (balances["disputed"], balances["provider_fees"]) == (2598, 64 + 2000)
    [dispute] = stripe.shop.get("/disputes").json["items"]
    assert (dispute["status"], dispute["payment_id"], dispute["provider"]) == (
        "needs_response",
        payment["id"],
        "stripe",
    )
    assert dispute["respond_by"]
    assert stripe.state(order) == ("paid", "paid")
    stripe.banks.stripe.decide(stripe.account, dispute["id"], won=False)
    for _ in range(2):
        balances = _agrees(stripe, clock)
        assert (balances["disputed"], balances["chargebacks"]) == (0, 2598)
    [dispute] = stripe.shop.get("/disputes").json["items"]
    assert (dispute["status"], dispute["respond_by"]) == ("lost", None)


def test_a_dispute_that_is_won_costs_nothing(till: Till, clock: Clock) -> None:
    _paid(till)
    before = _agrees(till, clock)
    bank: Any = till.banks.stripe if till.provider == "stripe" else till.banks.paypal
    kind = "payment_intent" if till.provider == "stripe" else "order"
    [payment] = till.banks.store.all(till.account, kind)
    bank.dispute(till.account, payment["id"])
    assert _agrees(till, clock)["disputed"] == 2598
    [dispute] = till.shop.get("/disputes").json["items"]
    assert dispute["status"] == "needs_response"
    bank.decide(till.account, dispute["id"], won=True)
    assert _agrees(till, clock) == before | {"disputed": 0}
    assert till.shop.get("/disputes").json["items"][0]["status"] == "won"


def test_a_dispute_that_is_lost_at_paypal_is_a_movement_of_its_own(paypal: PayPalTill, clock: Clock) -> None:
    _paid(paypal)
    [order] = paypal.orders()
    paypal.banks.paypal.dispute(paypal.account, order["id"])
    _agrees(paypal, clock)
    [dispute] = paypal.shop.get("/disputes").json["items"]
    paypal.banks.paypal.decide(paypal.account, dispute["id"], won=False)
    balances = _agrees(paypal, clock)
    assert (balances["disputed"], balances["chargebacks"]) == (0, 2598)
    assert paypal.shop.get("/disputes").json["items"][0]["status"] == "lost"


def test_a_payout_moves_the_balance_to_the_bank(till: Till, clock: Clock) -> None:
    _paid(till)
    net = _balance(till)
    bank: Any = till.banks.stripe if till.provider == "stripe" else till.banks.paypal
    bank.pay_out(till.account)
    balances = _agrees(till, clock)
    assert (balances["cash"], balances[till.provider]) == (net, 0)
    [payout] = till.shop.get("/payouts").json["items"]
    assert (payout["provider"], round(float(payout["amount"]["amount"]) * 100)) == (till.provider, net)
    assert payout["status"] == ("pending" if till.provider == "stripe" else "paid")


def test_a_payout_that_comes_back_is_posted_and_shown(stripe: StripeTill, clock: Clock) -> None:
    _paid(stripe)
    net = _balance(stripe)
    stripe.banks.stripe.pay_out(stripe.account)
    _agrees(stripe, clock)
    [payout] = stripe.shop.get("/payouts").json["items"]
    stripe.banks.stripe.settle(stripe.account, payout["id"], arrives=False)
    balances = _agrees(stripe, clock)
    assert (balances["cash"], balances["stripe"]) == (0, net)
    assert stripe.shop.get("/payouts").json["items"][0]["status"] == "failed"


def test_what_an_account_had_before_is_its_opening(stripe: StripeTill, clock: Clock) -> None:
    _paid(stripe)
    had = _balance(stripe)
    other = StripeTill(type(stripe.shop)(stripe.shop.send), stripe.banks, stripe.address, stripe.key).open()
    balances = _agrees(other, clock)
    assert (balances["stripe"], balances["opening"]) == (had, had)


def test_an_event_of_a_dispute_lets_the_balance_be_read_at_once(till: Till, clock: Clock) -> None:
    _paid(till)
    _agrees(till, clock)
    bank: Any = till.banks.stripe if till.provider == "stripe" else till.banks.paypal
    [payment] = till.banks.store.all(till.account, "payment_intent" if till.provider == "stripe" else "order")
    bank.dispute(till.account, payment["id"])
    event = till.events()[0]
    assert till.notify(json.dumps(event)).status == 204
    till.process(event)
    clock.ahead += timedelta(minutes=1)
    sweep()
    assert len(till.shop.get("/disputes").json["items"]) == 1


def test_a_report_that_is_late_is_read_again(paypal: PayPalTill, clock: Clock) -> None:
    paypal.banks.paypal.delay = 3 * 3600
    try:
        _paid(paypal)
        assert _reconcile(paypal, clock)["compared_at"]
    finally:
        paypal.banks.paypal.delay = 0
    assert _agrees(paypal, clock)["provider_fees"] == 130


def test_credentials_that_may_not_read_the_balance_compare_nothing(stripe: StripeTill, clock: Clock) -> None:
    _paid(stripe)
    with stripe.answering(403, {}):
        shown = _reconcile(stripe, clock)
    assert (shown["compared_at"], shown["difference"]) == (None, [])
    clock.ahead += timedelta(days=1)
    _agrees(stripe, clock)


def test_a_provider_that_was_deleted_is_not_read_until_it_is_set_again(stripe: StripeTill, clock: Clock) -> None:
    _paid(stripe)
    stripe.shop.call("DELETE", "/payment-providers/stripe")
    clock.ahead += timedelta(hours=2)
    sweep()
    key = keys.provider_cursor(stripe.shop.tenant, "stripe")
    row = decode(dynamodb().get_item(TableName="tradepost", Key=encode(key._asdict()))["Item"])
    assert "gsi3pk" not in row
    stripe.set()
    assert _agrees(stripe, clock)["provider_fees"] == 64


def test_a_walk_that_ends_early_goes_on_where_it_was(
    stripe: StripeTill, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("repositories.payments.providers.stripe.statements._MOST", 2)
    # A sweep that looks back at more than an hour, as each quarter of an hour, would meet again what it has made due.
    monkeypatch.setattr("repositories.dynamodb.work_list._CHUNK", 1000)
    for _ in range(5):
        _paid(stripe)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reconciling, "_ENOUGH_SECONDS", 1e9)
        for _ in range(2):
            shown = _reconcile(stripe, clock, 0)
            assert shown["compared_at"] is None
    assert _agrees(stripe, clock)["provider_fees"] == 5 * 64


def test_two_walks_at_once_post_a_movement_once(
    stripe: StripeTill, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other walk posts what this one has found to be new."""
    _paid(stripe)
    post, others = posting.MovementPoster._post, [1]

    def late(self: posting.MovementPoster, group: Any) -> None:
        if others:
            others.pop()
            post(self, group)
        post(self, group)

    monkeypatch.setattr(posting.MovementPoster, "_post", late)
    assert _agrees(stripe, clock)["provider_fees"] == 64


def test_customers_see_neither_disputes_nor_payouts(till: Till) -> None:
    for path in ("/disputes", "/payouts"):
        assert till.shop.acting_as("customer").get(path).status == 403
        assert till.shop.acting_as("staff").get(path).json == {"items": [], "next_cursor": None}
