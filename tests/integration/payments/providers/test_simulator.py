"""Tests that the simulated Stripe is one that Stripe's own library can use, with keys and money as Stripe documents."""

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
import stripe
from stripe import StripeClient
from typer.testing import CliRunner, Result

from cli.main import app
from local.simulators.banks import Banks, serving, signature
from local.simulators.store import Webhook
from tests.integration.flow.receivers import receiving


class Time:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.at = 1_800_000_000.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def banks(time: Time, tmp_path: Path) -> Iterator[Banks]:
    banks = Banks(tmp_path / "simulators.db", Random("tests"), time)
    yield banks
    banks.close()


@pytest.fixture
def client(banks: Banks) -> Iterator[StripeClient]:
    with serving(banks) as address:
        yield StripeClient("sk_test_library", base_addresses={"api": f"{address}/stripe"}, max_network_retries=0)


def _manual(client: StripeClient, amount: int = 1299, **options: Any) -> stripe.PaymentIntent:
    params: Any = {
        "amount": amount,
        "currency": "eur",
        "capture_method": "manual",
        "automatic_payment_methods": {"enabled": True},
        "metadata": {"payment": "payment_1"},
    }
    return client.v1.payment_intents.create(params, options)  # type: ignore[arg-type]


def _confirmed(client: StripeClient, card: str = "pm_card_visa") -> stripe.PaymentIntent:
    intent = _manual(client)
    return client.v1.payment_intents.confirm(intent.id, {"payment_method": card})


def test_the_library_pays_captures_refunds_and_lists(client: StripeClient) -> None:
    intent = _confirmed(client)
    assert (intent.status, intent.amount_capturable) == ("requires_capture", 1299)
    taken = client.v1.payment_intents.capture(intent.id, {"expand": ["latest_charge"]})
    charge = taken.latest_charge
    assert isinstance(charge, stripe.Charge)
    assert (taken.status, taken.amount_received, charge.captured) == ("succeeded", 1299, True)
    part = client.v1.refunds.create({"payment_intent": intent.id, "amount": 300})
    assert (part.status, part.amount) == ("succeeded", 300)
    assert client.v1.refunds.retrieve(part.id).amount == 300
    [balance] = client.v1.balance.retrieve().pending
    moved = client.v1.balance_transactions.list().data
    assert balance.amount == sum(each.net for each in moved) == 1299 - 300 - moved[-1].fee
    found = client.v1.payment_intents.search({"query": "metadata['payment']:'payment_1'"}).data
    assert [each.id for each in found] == [intent.id]
    kinds = [each.type for each in client.v1.events.list().data]
    assert kinds[:3] == ["charge.refunded", "payment_intent.succeeded", "charge.captured"]
    assert str(client.v1.accounts.retrieve_current().id).startswith("acct_")


def test_a_key_has_one_effect_and_refuses_other_parameters(client: StripeClient) -> None:
    first, again = (_manual(client, idempotency_key="k") for _ in range(2))
    assert first.id == again.id
    with pytest.raises(stripe.IdempotencyError):
        _manual(client, 1300, idempotency_key="k")
    assert len(client.v1.payment_intents.list().data) == 1


def test_a_key_repeats_a_refusal(client: StripeClient, banks: Banks) -> None:
    intent = _manual(client)
    for _ in range(2):
        with pytest.raises(stripe.InvalidRequestError, match="requires_payment_method"):
            client.v1.payment_intents.capture(intent.id, {}, {"idempotency_key": "c"})
    client.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})
    with pytest.raises(stripe.InvalidRequestError, match="requires_payment_method"):
        client.v1.payment_intents.capture(intent.id, {}, {"idempotency_key": "c"})


def test_what_cannot_be_is_refused(client: StripeClient) -> None:
    captured = _confirmed(client)
    client.v1.payment_intents.capture(captured.id)
    for change in (client.v1.payment_intents.capture, client.v1.payment_intents.cancel):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            change(captured.id)
        assert refused.value.code == "payment_intent_unexpected_state"
    with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded"):
        client.v1.refunds.create({"payment_intent": captured.id, "amount": 1300})
    client.v1.refunds.create({"payment_intent": captured.id})
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.refunds.create({"payment_intent": captured.id})
    assert refused.value.code == "charge_already_refunded"
    with pytest.raises(stripe.InvalidRequestError, match="unknown parameter"):
        client.v1.payment_intents.list({"nonsense": "1"})  # type: ignore[arg-type]
    with pytest.raises(stripe.InvalidRequestError, match="No such payment_intent"):
        client.v1.payment_intents.retrieve("pi_none")


def test_accounts_see_only_their_own(client: StripeClient, banks: Banks) -> None:
    intent = _manual(client)
    with serving(banks) as address:
        other = StripeClient("sk_test_other", base_addresses={"api": f"{address}/stripe"})
        with pytest.raises(stripe.InvalidRequestError):
            other.v1.payment_intents.retrieve(intent.id)
        with pytest.raises(stripe.AuthenticationError):
            StripeClient("sk_live_x", base_addresses={"api": f"{address}/stripe"}).v1.balance.retrieve()


def test_cards_are_declined_and_challenged(client: StripeClient, banks: Banks) -> None:
    with pytest.raises(stripe.CardError) as declined:
        _confirmed(client, "pm_card_chargeDeclined")
    assert declined.value.code == "card_declined"
    challenged = _confirmed(client, "pm_card_authenticationRequired")
    assert challenged.status == "requires_action"
    [account] = banks.store.accounts()
    banks.stripe.confirm(account, challenged.id, accept=True)
    assert client.v1.payment_intents.retrieve(challenged.id).status == "requires_capture"


def test_authorisations_lapse(client: StripeClient, time: Time) -> None:
    intent = _confirmed(client)
    time.at += 7 * 86400 + 1
    lapsed = client.v1.payment_intents.retrieve(intent.id)
    assert (lapsed.status, lapsed.cancellation_reason) == ("canceled", "automatic")


def test_the_library_verifies_webhooks_which_come_again_until_they_are_taken(
    client: StripeClient, banks: Banks
) -> None:
    with receiving() as receiver:
        receiver.status, receiver.secret = 500, ""
        endpoint = client.v1.webhook_endpoints.create(
            {"url": receiver.url, "enabled_events": ["payment_intent.created"]}
        )
        intent = _manual(client)
        [webhook] = banks.store.due(float("inf"))
        assert not banks.send(webhook)
        receiver.status = 200
        assert banks.send(webhook)
        for headers, body in receiver.raw:
            event = client.construct_event(body, headers["stripe-signature"], endpoint.secret or "")
            assert (event.type, event.data.object["id"]) == ("payment_intent.created", intent.id)
        with pytest.raises(stripe.SignatureVerificationError):
            client.construct_event(receiver.raw[0][1], receiver.raw[0][0]["stripe-signature"], "whsec_other")


def test_what_was_paid_survives_a_restart(client: StripeClient, banks: Banks, tmp_path: Path) -> None:
    intent = _confirmed(client)
    client.v1.payment_intents.capture(intent.id, {}, {"idempotency_key": "c"})
    again = Banks(tmp_path / "simulators.db")
    with serving(again) as address:
        later = StripeClient("sk_test_library", base_addresses={"api": f"{address}/stripe"})
        assert later.v1.payment_intents.retrieve(intent.id).status == "succeeded"
        assert later.v1.payment_intents.capture(intent.id, {}, {"idempotency_key": "c"}).status == "succeeded"
    again.close()


def test_people_confirm_on_the_page(client: StripeClient, banks: Banks) -> None:
    intent = _manual(client)
    [account] = banks.store.accounts()
    assert intent.id.encode() in banks.handle("GET", "/_simulators", "", {}, b"").body
    body = f"account={account}&about={intent.id}&action=Confirm".encode()
    assert banks.handle("POST", "/_simulators", "", {}, body).status == 303
    assert client.v1.payment_intents.retrieve(intent.id).status == "requires_capture"
    assert banks.handle("POST", "/_simulators", "", {}, b"account=x&about=y&action=Confirm").status == 303
    assert banks.handle("GET", "/_simulators/none", "", {}, b"").status == 404


def test_a_webhook_to_nowhere_is_not_taken(banks: Banks) -> None:
    address = json.dumps({"provider": "stripe", "url": "http://127.0.0.1:9/", "secret": "whsec_1"})
    assert not banks.send(Webhook(1, address, "{}", 0))
    assert signature("{}", "whsec_1", 1.0).startswith("t=1,v1=")


def _checked(*options: str) -> Result:
    return CliRunner().invoke(app, ["providers", "check", *options])


def test_the_check_of_stripe_finds_all_as_it_should_be(banks: Banks) -> None:
    with serving(banks) as address:
        done = _checked("--secret-key", "sk_test_check", "--stripe-api", f"{address}/stripe")
    assert done.exit_code == 0, done.output
    assert "FAILED" not in done.output
    assert done.output.count("ok    ") == 11
    assert _checked("--secret-key", "sk_live_check").exit_code == 2


def test_the_check_of_paypal_waits_for_its_buyer(banks: Banks, monkeypatch: pytest.MonkeyPatch) -> None:
    def approve(_: float) -> None:
        for account in banks.store.accounts():
            for order in banks.store.all(account, "order"):
                banks.paypal.confirm(account, order["id"], accept=True)

    monkeypatch.setattr("domain.common.environment.sleep", approve)
    credentials = ("paypal", "--client-id", "check", "--client-secret", "test_check")
    with serving(banks) as address:
        done = _checked(*credentials, "--paypal-api", f"{address}/paypal")
    assert done.exit_code == 0, done.output
    assert "Approve the payment as a buyer" in done.output
    assert done.output.count("ok    ") == 11
    assert _checked(*credentials, "--paypal-api", "https://api-m.paypal.com").exit_code == 2
