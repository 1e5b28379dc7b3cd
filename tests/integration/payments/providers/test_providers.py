"""Tests of the settings of payment providers."""

import json
from dataclasses import replace

import pytest

from repositories.aws.clients import dynamodb
from repositories.payments import credentials as secrets
from tests.integration.payments.tills import StripeTill


def test_a_provider_shows_everything_but_its_credentials(stripe: StripeTill) -> None:
    answer = stripe.set()
    assert answer.status == 200
    shown = stripe.shop.get("/payment-providers/stripe")
    assert shown.json == answer.json
    assert shown.json["account"].startswith("acct_")
    assert shown.json["webhook_url"].endswith(f"/v1/payment-events/stripe/{stripe.shop.tenant}")
    assert stripe.key.encode() not in shown.body
    assert stripe.webhook.encode() not in shown.body


def test_credentials_are_not_in_the_table(stripe: StripeTill) -> None:
    stripe.begun(stripe.order())
    rows = dynamodb().scan(TableName="tradepost")["Items"]
    assert stripe.key not in json.dumps(rows, default=str)
    assert stripe.webhook not in json.dumps(rows, default=str)


@pytest.mark.parametrize(
    ("credentials", "pointer"),
    [
        ({"secret_key": "sk_live_refused"}, "/credentials/secret_key"),
        ({"secret_key": "nonsense"}, "/credentials/secret_key"),
        ({"webhook_secret": "x"}, "/credentials/webhook_secret"),
        ({"client_id": "x"}, "/credentials/client_id"),
    ],
)
def test_credentials_must_be_accepted_by_the_provider(
    stripe: StripeTill, credentials: dict[str, str], pointer: str
) -> None:
    refused = stripe.set(credentials=credentials)
    assert (refused.status, refused.json["errors"][0]["pointer"]) == (400, pointer)
    assert stripe.pay(stripe.order()).status == 201


def test_a_deleted_provider_is_gone(stripe: StripeTill) -> None:
    assert stripe.shop.call("DELETE", "/payment-providers/stripe").status == 204
    assert stripe.shop.get("/payment-providers/stripe").status == 404
    assert stripe.shop.call("DELETE", "/payment-providers/stripe").status == 404
    assert stripe.pay(stripe.order()).code == "INVALID_STATE"
    assert stripe.set().json["version"] == 3


def test_only_owners_reach_providers_and_only_known_ones(stripe: StripeTill) -> None:
    for role in ("staff", "customer"):
        assert stripe.shop.acting_as(role).get("/payment-providers/stripe").status == 403
    assert stripe.shop.get("/payment-providers/none").status == 404


def test_the_secret_before_stays_valid_when_credentials_are_set_again(stripe: StripeTill) -> None:
    stripe.set(credentials={"webhook_secret": "whsec_new"})
    stripe.set(credentials={"webhook_secret": "whsec_new"})
    assert stripe.notify('{"id": "evt_1"}').status == 204


def test_a_provider_that_does_not_answer_changes_no_credentials(stripe: StripeTill) -> None:
    with stripe.silent():
        assert stripe.set(credentials={"secret_key": "sk_test_other"}).code == "PROVIDER_UNAVAILABLE"
    assert stripe.pay(stripe.order()).status == 201
    assert len(stripe.intents()) == 1


def test_credentials_that_were_replaced_elsewhere_are_read_anew(
    stripe: StripeTill, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another environment has replaced them: what this one knows is refused."""
    monkeypatch.setattr(secrets, "_ANEW_MAX_AGE", -1)
    stripe.begun(stripe.order())
    good = secrets.read(stripe.shop.tenant, "stripe")
    assert good
    name = f"tradepost/local/{stripe.shop.tenant}/stripe"
    secrets.cache.forget(name)
    secrets.cache.get(name, lambda: replace(good, secrets={"secret_key": "sk_live_revoked"}), max_age=300)
    assert stripe.pay(stripe.order()).status == 201
