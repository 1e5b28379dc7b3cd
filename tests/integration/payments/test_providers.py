"""Tests of the settings of payment providers."""

import json
from dataclasses import replace

import pytest

from repositories.aws.clients import dynamodb
from repositories.payments import credentials as secrets
from tests.integration.payments.common import Till


def test_a_provider_shows_everything_but_its_credentials(till: Till) -> None:
    answer = till.set()
    assert answer.status == 200
    shown = till.shop.get("/payment-providers/stripe")
    assert shown.json == answer.json
    assert shown.json["account"].startswith("acct_")
    assert shown.json["webhook_url"].endswith(f"/v1/payment-events/stripe/{till.shop.tenant}")
    assert till.key.encode() not in shown.body
    assert till.webhook_secret.encode() not in shown.body


def test_credentials_are_not_in_the_table(till: Till) -> None:
    till.begun(till.order())
    rows = dynamodb().scan(TableName="tradepost")["Items"]
    assert till.key not in json.dumps(rows, default=str)
    assert till.webhook_secret not in json.dumps(rows, default=str)


@pytest.mark.parametrize(
    ("credentials", "pointer"),
    [
        ({"secret_key": "sk_live_refused"}, "/credentials/secret_key"),
        ({"secret_key": "nonsense"}, "/credentials/secret_key"),
        ({"webhook_secret": "x"}, "/credentials/webhook_secret"),
        ({"client_id": "x"}, "/credentials/client_id"),
    ],
)
def test_credentials_must_be_accepted_by_the_provider(till: Till, credentials: dict[str, str], pointer: str) -> None:
    refused = till.set(credentials=credentials)
    assert (refused.status, refused.json["errors"][0]["pointer"]) == (400, pointer)
    assert till.pay(till.order()).status == 201


def test_a_deleted_provider_is_gone(till: Till) -> None:
    assert till.shop.call("DELETE", "/payment-providers/stripe").status == 204
    assert till.shop.get("/payment-providers/stripe").status == 404
    assert till.shop.call("DELETE", "/payment-providers/stripe").status == 404
    assert till.pay(till.order()).code == "INVALID_STATE"
    assert till.set().json["version"] == 3


def test_only_owners_reach_providers_and_only_known_ones(till: Till) -> None:
    for role in ("staff", "customer"):
        assert till.shop.acting_as(role).get("/payment-providers/stripe").status == 403
    assert till.shop.get("/payment-providers/none").status == 404


def test_the_secret_before_stays_valid_when_credentials_are_set_again(till: Till) -> None:
    till.set(credentials={"webhook_secret": "whsec_new"})
    till.set(credentials={"webhook_secret": "whsec_new"})
    assert till.notify('{"id": "evt_1"}').status == 204


def test_a_provider_that_does_not_answer_changes_no_credentials(till: Till) -> None:
    with till.silent():
        assert till.set(credentials={"secret_key": "sk_test_other"}).code == "PROVIDER_UNAVAILABLE"
    assert till.pay(till.order()).status == 201
    assert len(till.intents()) == 1


def test_credentials_that_were_replaced_elsewhere_are_read_anew(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another environment has replaced them: what this one knows is refused."""
    monkeypatch.setattr(secrets, "_ANEW_MAX_AGE", -1)
    till.begun(till.order())
    good = secrets.read(till.shop.tenant, "stripe")
    assert good
    name = f"tradepost/local/{till.shop.tenant}/stripe"
    secrets.cache.forget(name)
    secrets.cache.get(name, lambda: replace(good, secret_key="sk_live_revoked"), max_age=300)
    assert till.pay(till.order()).status == 201
