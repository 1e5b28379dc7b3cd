"""Tests of payments by PayPal that only PayPal does so, and of its events."""

import json
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import load_pem_x509_certificate

from domain.common.errors import InvalidState
from domain.common.money import Money
from local.simulators.paypal.objects import shown
from repositories.payments.providers import http
from repositories.payments.providers.paypal.amounts import to_paypal
from repositories.payments.providers.paypal.asking import tokens
from tests.integration.payments.tills import PayPalTill
from tests.shop import Shop


def test_the_customer_is_sent_to_paypal_and_back(paypal: PayPalTill) -> None:
    begun = paypal.pay(paypal.order(), return_url="https://shop.example/thanks").json
    assert begun["status"] == "requires_action"
    assert begun["approve_url"].startswith("http")
    [order] = paypal.orders()
    assert order["purchase_units"][0]["invoice_id"] == begun["id"]


def test_an_authorization_of_a_payment_that_was_voided_meanwhile_is_voided_too(
    paypal: PayPalTill, rival: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One worker sees that the customer has approved, and another has cancelled before it authorises."""
    payment = paypal.begun(paypal.order())
    rival.user = paypal.shop.user

    def cancel() -> None:
        assert rival.post(f"/payments/{payment['id']}/cancel", None).json["status"] == "voided"
        paypal.confirm(payment)

    send, waiting = http._send, [cancel]

    def late(*request: Any) -> http.Response:
        if waiting:
            waiting.pop()()
        return send(*request)

    monkeypatch.setattr(http, "_send", late)
    assert paypal.refresh(payment).json["status"] == "voided"
    assert paypal.held() == ["void"]


def test_what_was_approved_is_void_for_good(paypal: PayPalTill) -> None:
    payment = paypal.begun(paypal.order())
    paypal.confirm(payment)
    assert paypal.shop.post(f"/payments/{payment['id']}/cancel", None).json["status"] == "voided"
    assert paypal.held() == ["void"]


def test_an_authorization_under_review_waits_and_can_be_voided(paypal: PayPalTill) -> None:
    payment = paypal.begun(paypal.order())
    paypal.confirm(payment)
    with paypal.silent(after=paypal.calls_to_look - 1):
        paypal.refresh(payment)
    [made] = paypal.banks.store.all(paypal.account, "authorization")
    pending = paypal.banks.store.put(paypal.account, "authorization", made | {"status": "PENDING"})
    paypal.banks.paypal._show_in_order(paypal.account, made["_order"], "authorizations", shown(pending))
    assert paypal.refresh(payment).json["status"] == "requires_action"
    assert paypal.shop.post(f"/payments/{payment['id']}/cancel", None).json["status"] == "voided"
    assert paypal.held() == ["void"]


def test_an_order_that_paypal_has_forgotten_voids_its_payment(paypal: PayPalTill) -> None:
    payment = paypal.begun(paypal.order())
    [order] = paypal.orders()
    paypal.banks.store.put(paypal.account, "order", order | {"_created": 0})
    assert paypal.refresh(payment).json["status"] == "voided"


def test_a_token_that_is_not_valid_any_more_is_replaced(paypal: PayPalTill) -> None:
    payment = paypal.begun(paypal.order())
    paypal.confirm(payment)
    for each in paypal.banks.store.all("-", "token"):
        paypal.banks.store.put("-", "token", each | {"ends": 0})
    assert paypal.refresh(payment).json["status"] == "captured"


def test_credentials_that_paypal_refuses_are_not_stored(paypal: PayPalTill) -> None:
    tokens.clear()
    refused = paypal.set(credentials={"client_secret": "wrong"})
    assert (refused.status, refused.json["errors"][0]["pointer"]) == (400, "/credentials/client_secret")
    stripes = paypal.shop.call("PUT", "/payment-providers/paypal", {"credentials": {"secret_key": "sk_test_1"}})
    assert (stripes.status, stripes.json["errors"][0]["code"]) == (400, "CREDENTIALS_OF_ANOTHER")


@pytest.mark.parametrize(
    ("amount", "written"),
    [("10.00", "EUR 10.00"), ("1000", "JPY 1000"), ("1000.00", "HUF 1000"), ("5.00", "TWD 5")],
)
def test_amounts_are_written_as_paypal_does(amount: str, written: str) -> None:
    currency, value = written.split()
    assert to_paypal(Money(amount=amount, currency=currency)) == {"currency_code": currency, "value": value}


@pytest.mark.parametrize(("amount", "currency"), [("10.50", "HUF"), ("1.000", "BHD"), ("1.00", "TRY")])
def test_amounts_that_paypal_does_not_collect_are_refused(amount: str, currency: str) -> None:
    with pytest.raises(InvalidState):
        to_paypal(Money(amount=amount, currency=currency))


def _approved(till: PayPalTill) -> tuple[str, dict[str, Any]]:
    """Return an order, and the event of its payment's approval."""
    order = till.order()
    till.confirm(till.begun(order))
    return order, till.events()[0]


def test_an_event_makes_its_payment_go_on(paypal: PayPalTill) -> None:
    order, event = _approved(paypal)
    assert event["event_type"] == "CHECKOUT.ORDER.APPROVED"
    assert [paypal.notify(json.dumps(event)).status for _ in range(2)] == [204, 204]
    paypal.process(event)
    assert paypal.state(order) == ("paid", "paid")


def test_each_event_names_its_payment(paypal: PayPalTill) -> None:
    order, _ = _approved(paypal)
    payment = paypal.shop.get(f"/orders/{order}/payments").json["items"][0]
    paypal.refresh(payment)
    paypal.shop.move(order, "refund")
    kinds = [each["event_type"] for each in paypal.events()]
    assert [kind.removeprefix("PAYMENT.") for kind in kinds] == [
        "CAPTURE.REFUNDED",
        "CAPTURE.COMPLETED",
        "AUTHORIZATION.CREATED",
        "CHECKOUT.ORDER.APPROVED",
    ]
    for event in paypal.events():
        assert paypal.notify(json.dumps(event)).status == 204
        paypal.process(event)


def test_a_refund_that_was_pending_is_made_when_its_event_comes(paypal: PayPalTill) -> None:
    order, event = _approved(paypal)
    paypal.notify(json.dumps(event))
    paypal.process(event)
    with paypal.refunds_are("pending"):
        assert paypal.shop.move(order, "refund").status == 202
    paypal.settle_refunds()
    event = paypal.events()[0]
    paypal.notify(json.dumps(event))
    paypal.process(event)
    assert paypal.state(order) == ("refunded", "refunded")


def test_a_signature_is_of_these_bytes_this_webhook_and_this_time(paypal: PayPalTill) -> None:
    _, event = _approved(paypal)
    text = json.dumps(event)
    path = f"/v1/payment-events/paypal/{paypal.shop.tenant}"
    good = paypal.signed(text)
    send = paypal.shop.send
    for place in range(0, len(text), 7):
        changed = text[:place] + chr(ord(text[place]) ^ 1) + text[place + 1 :]
        assert send("POST", path, good, changed.encode()).status == 400
    for name, value in good.items():
        for changed in ("", "x", value[:-1], value[::-1], "x" * 501):
            assert send("POST", path, good | {name: changed}, text.encode()).status == 400
    old = {"PayPal-Transmission-Time": "2026-01-01T00:00:00Z"}
    assert send("POST", path, good | old, text.encode()).status == 400
    assert send("POST", path, good, text.encode()).status == 204


def test_bytes_are_verified_as_they_came(paypal: PayPalTill) -> None:
    """Spaces, escapes and the order of fields are signed, too."""
    _, event = _approved(paypal)
    for text in (json.dumps(event, indent=3), json.dumps(event | {"summary": "caf\u00e9 \u2603"}, ensure_ascii=False)):
        assert paypal.notify(text).status == 204
        assert paypal.notify(text.replace("1.0", "1.00"), "").status == 204
    assert paypal.notify('{"id": "WH-1", "webhook_event": {"webhook_event": 1}}').status == 204


def test_the_webhook_before_the_last_one_stays_valid(paypal: PayPalTill) -> None:
    _, event = _approved(paypal)
    old, new, newer = paypal.webhook, paypal.add_webhook(), paypal.add_webhook()
    paypal.set(credentials={"webhook_id": new})
    assert [paypal.notify(json.dumps(event), webhook).status for webhook in (old, new)] == [204, 204]
    paypal.set(credentials={"webhook_id": newer})
    assert paypal.notify(json.dumps(event), old).status == 400


def test_an_event_comes_again_if_paypal_cannot_be_asked(paypal: PayPalTill) -> None:
    _, event = _approved(paypal)
    with paypal.silent():
        assert paypal.notify(json.dumps(event)).status == 503
    with paypal.answering(401, {}):
        assert paypal.notify(json.dumps(event)).status == 503
    assert paypal.notify(json.dumps(event)).status == 204


def test_what_has_no_form_of_a_signature_costs_no_request(paypal: PayPalTill) -> None:
    path = f"/v1/payment-events/paypal/{paypal.shop.tenant}"
    good = paypal.signed("{}")
    with paypal.silent():
        for headers in ({}, good | {"PayPal-Cert-Url": "https://paypal.com.example.org/cert"}):
            assert paypal.shop.send("POST", path, headers, b"{}").status == 400
        assert paypal.shop.send("POST", path, paypal.signed("[]"), b"[]").status == 400


def test_a_webhook_can_be_verified_with_the_certificate(paypal: PayPalTill) -> None:
    """As a receiver does that does not ask PayPal."""
    import base64
    import zlib

    headers = paypal.signed("{}")
    key = load_pem_x509_certificate(httpx.get(headers["PayPal-Cert-Url"]).content).public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    ids = (headers["PayPal-Transmission-Id"], headers["PayPal-Transmission-Time"], paypal.webhook)
    signed = "|".join([*ids, str(zlib.crc32(b"{}"))]).encode()
    key.verify(base64.b64decode(headers["PayPal-Transmission-Sig"]), signed, padding.PKCS1v15(), SHA256())
