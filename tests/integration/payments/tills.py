"""Tills with accounts at the simulated Stripe and PayPal."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self
from uuid import uuid4

import httpx

from local.simulators.banks import signature
from local.simulators.stripe.forms import account_of
from tests.integration.payments.till import Till


class StripeTill(Till):
    """A till with an account at Stripe."""

    provider, calls_to_look, calls_before_capture = "stripe", 1, 1

    @property
    def credentials(self) -> dict[str, str]:
        return {"secret_key": self.key, "webhook_secret": self.webhook}

    @property
    def account(self) -> str:
        return account_of(f"Bearer {self.key}")

    def stripe(self, method: str, path: str, **fields: str) -> httpx.Response:
        return httpx.request(
            method, f"{self.address}/stripe/v1{path}", data=fields, headers={"Authorization": f"Bearer {self.key}"}
        )

    def external_id(self, payment: dict[str, Any]) -> str:
        secret: str = payment["client_secret"]
        return secret.partition("_secret")[0]

    def pay_with(self, payment: dict[str, Any], card: str) -> httpx.Response:
        return self.stripe("POST", f"/payment_intents/{self.external_id(payment)}/confirm", payment_method=card)

    def confirm(self, payment: dict[str, Any]) -> None:
        self.pay_with(payment, "pm_card_visa")

    def confirm_all(self) -> None:
        for intent in self.intents():
            self.stripe("POST", f"/payment_intents/{intent['id']}/confirm", payment_method="pm_card_visa")

    def decline(self, payment: dict[str, Any]) -> None:
        self.pay_with(payment, "pm_card_chargeDeclined")

    def lapse(self, payment: dict[str, Any]) -> None:
        self.banks.stripe.lapse(self.account, self.external_id(payment))

    def refuse_capture(self, payment: dict[str, Any]) -> None:
        self.banks.stripe.refuse_capture(self.account, self.external_id(payment))

    def refund_elsewhere(self, payment: dict[str, Any], amount: str = "25.98") -> None:
        found = self.stripe("GET", f"/payment_intents/search?query=metadata['payment']:'{payment['id']}'").json()[
            "data"
        ]
        cents = str(round(float(amount) * 100))
        self.stripe("POST", "/refunds", payment_intent=found[0]["id"], amount=cents).raise_for_status()

    @contextmanager
    def refunds_are(self, status: str) -> Iterator[None]:
        self.banks.stripe.refund_status = status
        yield
        self.banks.stripe.refund_status = "succeeded"

    def settle_refunds(self) -> None:
        for each in self.banks.store.all(self.account, "refund"):
            self.banks.store.put(self.account, "refund", each | {"status": "succeeded"})

    def intents(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.stripe("GET", "/payment_intents?limit=100").json()["data"]
        return found

    def held(self) -> list[str]:
        held = {"requires_capture": "authorization", "succeeded": "money", "canceled": "void"}
        return [held.get(each["status"], "nothing") for each in self.intents()]

    def signed(self, event: str, webhook: str = "") -> dict[str, str]:
        return {"Stripe-Signature": signature(event, webhook or self.webhook, self.banks.stripe._now())}

    def money(self) -> int:
        moved = self.banks.store.all(self.account, "balance_transaction")
        return sum(each["amount"] for each in moved)


class PayPalTill(Till):
    """A till with an account at PayPal."""

    provider, calls_to_look, calls_before_capture = "paypal", 3, 4

    def open(self) -> Self:
        self.key = f"client-{uuid4().hex}"
        self.webhook = self.add_webhook()
        return super().open()

    @property
    def credentials(self) -> dict[str, str]:
        return {"client_id": self.key, "client_secret": "test_secret", "webhook_id": self.webhook}

    @property
    def account(self) -> str:
        return f"paypal_{hashlib.sha256(self.key.encode()).hexdigest()[:16]}"

    def add_webhook(self) -> str:
        """Add a webhook whose events go nowhere, and return its id."""
        wanted = {"url": "http://127.0.0.1:9/", "event_types": [{"name": "*"}]}
        return str(self.paypal("POST", "/v1/notifications/webhooks", wanted).json()["id"])

    def paypal(self, method: str, path: str, body: Any = None) -> httpx.Response:
        pair = (self.key, "test_secret")
        grant = {"grant_type": "client_credentials"}
        token = httpx.post(f"{self.address}/paypal/v1/oauth2/token", auth=pair, data=grant).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.request(method, f"{self.address}/paypal{path}", json=body, headers=headers)

    def external_id(self, payment: dict[str, Any]) -> str:
        [found] = [
            each["id"]
            for each in self.orders()
            if each["purchase_units"][0]["custom_id"] == f"{self.shop.tenant},{payment['id']}"
        ]
        return str(found)

    def orders(self) -> list[dict[str, Any]]:
        return self.banks.store.all(self.account, "order")

    def confirm(self, payment: dict[str, Any]) -> None:
        self.banks.paypal.confirm(self.account, self.external_id(payment), accept=True)

    def confirm_all(self) -> None:
        for order in self.orders():
            self.banks.paypal.confirm(self.account, order["id"], accept=True)

    def decline(self, payment: dict[str, Any]) -> None:
        self.banks.paypal.confirm(self.account, self.external_id(payment), accept=False)

    def lapse(self, payment: dict[str, Any]) -> None:
        self.banks.paypal.lapse(self.account, self.external_id(payment))

    def refuse_capture(self, payment: dict[str, Any]) -> None:
        self.banks.paypal.refuse_capture(self.account, self.external_id(payment))

    def refund_elsewhere(self, payment: dict[str, Any], amount: str = "25.98") -> None:
        [unit] = self.paypal("GET", f"/v2/checkout/orders/{self.external_id(payment)}").json()["purchase_units"]
        wanted = {"amount": {"currency_code": "EUR", "value": amount}}
        capture = unit["payments"]["captures"][0]["id"]
        self.paypal("POST", f"/v2/payments/captures/{capture}/refund", wanted).raise_for_status()

    @contextmanager
    def refunds_are(self, status: str) -> Iterator[None]:
        self.banks.paypal.refund_status = status.upper()
        yield
        self.banks.paypal.refund_status = "COMPLETED"

    def settle_refunds(self) -> None:
        for each in self.banks.store.all(self.account, "refund"):
            self.banks.paypal.settle_refund(self.account, each["id"])

    def held(self) -> list[str]:
        return [_held(order) for order in self.orders()]

    def signed(self, event: str, webhook: str = "") -> dict[str, str]:
        endpoint = {"provider": "paypal", "webhook": webhook or self.webhook, "base": f"{self.address}/paypal"}
        return self.banks.signed(endpoint, event, self.banks.paypal._now())

    def money(self) -> int:
        moved = [each["transaction_info"] for each in self.banks.store.all(self.account, "movement")]
        return sum(round(float(each["transaction_amount"]["value"]) * 100) for each in moved)


def _held(order: dict[str, Any]) -> str:
    made = order["purchase_units"][0].get("payments", {})
    if made.get("captures"):
        return "money"
    if made.get("authorizations"):
        return {"CREATED": "authorization"}.get(made["authorizations"][0]["status"], "void")
    return "nothing"
