"""Tests of the circuit of a payment provider: left alone when it does not answer, and tried again by one request."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from repositories.aws.clients import dynamodb
from repositories.dynamodb import keys
from repositories.dynamodb.codec import decode, encode
from repositories.payments.providers import circuit, http
from tests.integration.payments.clock import Clock, sweep
from tests.integration.payments.till import Till
from tests.integration.payments.tills import StripeTill
from tests.shop import Shop


@contextmanager
def _counting() -> Iterator[list[str]]:
    """Count the requests to providers."""
    urls: list[str] = []
    send = http._send

    def counted(method: str, url: str, *rest: Any) -> http.Response:
        urls.append(url)
        return send(method, url, *rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(http, "_send", counted)
        yield urls


def _row(till: Till) -> dict[str, Any]:
    key = keys.circuit(till.shop.tenant, till.provider)
    return decode(dynamodb().get_item(TableName="tradepost", Key=encode(key._asdict()))["Item"])


def _change(till: Till, **fields: Any) -> None:
    """Change the row as another environment does."""
    dynamodb().put_item(TableName="tradepost", Item=encode(_row(till) | fields))
    circuit._store.cache_clear()


@pytest.fixture
def opened(stripe: StripeTill, monkeypatch: pytest.MonkeyPatch) -> StripeTill:
    """A till whose provider has not answered several times."""
    monkeypatch.setattr(http, "_TRIES", 1)
    payment = stripe.begun(stripe.order())
    with stripe.silent():
        for _ in range(circuit.CONFIG.failure_threshold):
            assert stripe.refresh(payment).code == "PROVIDER_UNAVAILABLE"
    return stripe


def test_a_provider_that_does_not_answer_is_left_alone(opened: StripeTill) -> None:
    with _counting() as asked:
        refused = opened.pay(opened.order())
        assert (refused.status, refused.code) == (503, "PROVIDER_UNAVAILABLE")
        assert int(refused.headers["retry-after"]) > 0
        [intent] = opened.banks.store.all(opened.account, "payment_intent")
        payment = {"id": intent["metadata"]["payment"]}
        assert opened.refresh(payment).code == "PROVIDER_UNAVAILABLE"
        assert asked == []
    assert opened.shop.get("/payment-providers/stripe").json["circuit"] == "open"
    other = StripeTill(Shop(opened.shop.send), opened.banks, opened.address).open()
    assert other.pay(other.order()).status == 201


def test_one_request_tries_it_again_and_lets_the_others_through(opened: StripeTill) -> None:
    _change(opened, opened_at=_row(opened)["opened_at"] - circuit.CONFIG.recovery_timeout)
    assert opened.shop.get("/payment-providers/stripe").json["circuit"] == "closed"
    assert opened.pay(opened.order()).status == 201
    assert _row(opened)["circuit_state"] == "CLOSED"
    assert opened.pay(opened.order()).status == 201


def test_a_try_that_fails_leaves_it_alone_again(opened: StripeTill) -> None:
    _change(opened, opened_at=_row(opened)["opened_at"] - 1000)
    with opened.silent():
        assert opened.pay(opened.order()).status == 202
    row = _row(opened)
    assert row["circuit_state"] == "OPEN"
    assert "half_open_owner" not in row
    assert opened.pay(opened.order()).status == 503


@pytest.mark.parametrize(("lease", "requests"), [(1000, 0), (-1000, 1)])
def test_others_wait_while_one_tries(opened: StripeTill, lease: int, requests: int) -> None:
    at = _row(opened)["opened_at"]
    trying = {"circuit_state": "HALF_OPEN", "half_open_owner": "other", "probe_lease_expiry": at + lease}
    _change(opened, **trying)
    with _counting() as asked:
        opened.pay(opened.order())
    assert len(asked) == requests


def test_of_two_that_want_to_try_one_does(opened: StripeTill) -> None:
    """Both read that it is open; the other writes first."""
    at = _row(opened)["opened_at"] - 1000
    _change(opened, opened_at=at)
    store = circuit._store(keys.circuit(opened.shop.tenant, "stripe"))
    get = store.get_state

    def late(name: str) -> Any:
        seen = get(name)
        dynamodb().put_item(
            TableName="tradepost",
            Item=encode(_row(opened) | {"circuit_state": "HALF_OPEN", "half_open_owner": "other"}),
        )
        return seen

    with pytest.MonkeyPatch.context() as patch, _counting() as asked:
        patch.setattr(store, "get_state", late)
        opened.pay(opened.order())
    assert asked == []


def test_refusals_show_that_it_works(stripe: StripeTill) -> None:
    payment = stripe.begun(stripe.order())
    with stripe.answering(404, {}):
        for _ in range(circuit.CONFIG.failure_threshold + 1):
            stripe.refresh(payment)
    with stripe.answering(429, {}):
        for _ in range(circuit.CONFIG.failure_threshold + 1):
            stripe.refresh(payment)
    assert stripe.pay(stripe.order()).status == 201


def test_a_circuit_that_cannot_be_read_stops_nothing(stripe: StripeTill, monkeypatch: pytest.MonkeyPatch) -> None:
    def unavailable(*_: Any) -> None:
        raise RuntimeError("unavailable")

    monkeypatch.setattr(circuit._Store, "_get_record", unavailable)
    circuit._store.cache_clear()
    assert stripe.pay(stripe.order()).status == 201


def test_reports_that_fail_are_no_reason_to_take_no_payments(stripe: StripeTill, clock: Clock) -> None:
    with stripe.answering(500, {"Stripe-Should-Retry": "false"}), _counting() as asked:
        for _ in range(circuit.CONFIG.failure_threshold + 1):
            clock.ahead += timedelta(hours=2)
            sweep()
    assert len(asked) > circuit.CONFIG.failure_threshold
    assert stripe.pay(stripe.order()).status == 201
