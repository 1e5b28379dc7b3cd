"""Tests of payments by Stripe that only Stripe can do so."""

from tests.integration.payments.tills import StripeTill


def test_a_payment_that_needs_the_customers_bank_waits_for_it(stripe: StripeTill) -> None:
    payment = stripe.begun(stripe.order())
    assert stripe.pay_with(payment, "pm_card_authenticationRequired").json()["status"] == "requires_action"
    assert stripe.refresh(payment).json["status"] == "requires_action"
    stripe.banks.stripe.confirm(stripe.account, stripe.external_id(payment), accept=True)
    assert stripe.refresh(payment).json["status"] == "captured"


def test_money_that_comes_too_late_is_booked_and_given_back(stripe: StripeTill) -> None:
    order = stripe.order()
    payment = stripe.begun(order)
    stripe.banks.stripe.make_automatic(stripe.account, stripe.external_id(payment))
    stripe.confirm(payment)
    stripe.shop.move(order, "cancel")
    assert stripe.money() == 2598
    shown = stripe.refresh(payment).json
    assert shown["status"] == "refunded"
    assert stripe.money() == stripe.books() == 0
    assert stripe.state(order) == ("cancelled", "unpaid")


def test_money_of_an_order_that_can_be_paid_pays_it(stripe: StripeTill) -> None:
    order = stripe.order()
    payment = stripe.begun(order)
    stripe.banks.stripe.make_automatic(stripe.account, stripe.external_id(payment))
    stripe.confirm(payment)
    assert stripe.refresh(payment).json["status"] == "captured"
    assert stripe.state(order) == ("paid", "paid")


def test_nothing_is_begun_without_an_enabled_provider_or_an_amount(stripe: StripeTill) -> None:
    free = stripe.shop.add(price={"amount": "0.00", "currency": "EUR"}, stock=1)["id"]
    assert stripe.pay(stripe.shop.order({free: 1}).json["id"]).code == "INVALID_STATE"
    dinar = stripe.shop.add(price={"amount": "1.234", "currency": "BHD"}, stock=1)["id"]
    assert "too fine" in stripe.pay(stripe.shop.order({dinar: 1}).json["id"]).json["detail"]
    order = stripe.order()
    stripe.set(enabled=False)
    assert stripe.pay(order).code == "INVALID_STATE"
