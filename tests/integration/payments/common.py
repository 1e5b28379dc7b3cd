"""A shop with an account at a simulated provider, and its customers."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ClassVar, Self
from uuid import uuid4

import httpx
import pytest
from urllib3.exceptions import ReadTimeoutError

from domain.common.environment import now
from local.aws.scheduler import scheduled_event
from local.invocation import invoke
from local.simulators.banks import Banks, signature
from local.simulators.stripe.forms import account_of
from repositories.aws.clients import dynamodb
from repositories.dynamodb import keys, work_keys
from repositories.dynamodb.codec import encode, new_row
from repositories.dynamodb.work_list import Work
from repositories.payments.providers import http
from tests.shop import Answer, Shop

ORDER = {"amount": "25.98", "currency": "EUR"}


class Clock:
    """Time as sweeps see it. They skip the partitions of the work list that are empty: hundreds a minute of it."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.ahead = timedelta()
        minute = now().replace(second=0, microsecond=0) - timedelta(minutes=2)
        for kind in (Work.HOLD, Work.PAYMENT, Work.REFUND, Work.INBOX):
            # Other tests have swept at other times.
            mark = new_row(keys.sweep_mark(kind), "sweep", sweep_minute=minute.isoformat())
            dynamodb().put_item(TableName="tradepost", Item=encode(mark))
        for name in ("expire_holds", "sweep_payments", "process_payment_events"):
            patch.setattr(f"handlers.triggers.{name}.now", lambda: now() + self.ahead)
        due_pks = work_keys.due_pks
        patch.setattr(work_keys, "due_pks", lambda *given: [pk for pk in due_pks(*given) if pk in _FILLED])


_FILLED: set[str] = set()
"""Partitions of the work list that had rows when the last sweep began."""


def _look_for_work() -> None:
    _FILLED.clear()
    for page in dynamodb().get_paginator("scan").paginate(TableName="tradepost", IndexName="gsi3"):
        _FILLED.update(row["gsi3pk"]["S"] for row in page["Items"])


@dataclass
class Till:
    """A shop, its account at a provider, and a customer."""

    shop: Shop
    banks: Banks
    address: str
    key: str = field(default_factory=lambda: f"sk_test_{uuid4().hex}")
    webhook: str = field(default_factory=lambda: f"whsec_{uuid4().hex}")
    provider: ClassVar[str]
    calls_to_look: ClassVar[int]
    """Calls with which a payment is looked at that the customer has confirmed."""
    calls_before_capture: ClassVar[int]
    """Calls that come before its capture."""

    def open(self) -> Self:
        answer = self.set(enabled=True)
        assert answer.status == 200, answer.body
        return self

    @property
    def credentials(self) -> dict[str, str]:
        raise NotImplementedError

    def set(self, **fields: Any) -> Answer:
        body = {"credentials": self.credentials | fields.pop("credentials", {})} | fields
        return self.shop.call("PUT", f"/payment-providers/{self.provider}", body)

    @contextmanager
    def silent(self, *, after: int = 0) -> Iterator[None]:
        """Let the provider do what it is asked, and not answer, from the call after some others on."""
        seen, send = 0, http._send

        def lost(*request: Any) -> http.Response:
            nonlocal seen
            seen += 1
            answer = send(*request)
            if seen > after:
                raise ReadTimeoutError(None, "", "lost")  # type: ignore[arg-type]
            return answer

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(http, "_send", lost)
            yield

    @contextmanager
    def answering(self, status: int, headers: dict[str, str], *, after: int = 0) -> Iterator[None]:
        """Let the provider do what it is asked, and answer with an error, from the call after some others on."""
        seen, send = 0, http._send

        def answered(*request: Any) -> http.Response:
            nonlocal seen
            seen += 1
            answer = send(*request) if (seen > after and status != 401) or seen <= after else None
            if seen > after:
                return http.Response(status, {"error": {"message": "injected"}}, headers)
            assert answer
            return answer

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(http, "_send", answered)
            yield

    def forget_keys(self) -> None:
        """Let the provider forget its keys, as it does after a while."""
        self.banks.store.forget_keys(self.account)

    @property
    def account(self) -> str:
        """The account's id in the simulator."""
        raise NotImplementedError

    def order(self, units: int = 2) -> str:
        item = self.shop.add(stock=9)["id"]
        return str(self.shop.order({item: units}).json["id"])

    def pay(self, order: str, key: str = "", **fields: Any) -> Answer:
        return self.shop.post(f"/orders/{order}/payments", {"provider": self.provider} | fields, key or uuid4().hex)

    def begun(self, order: str) -> dict[str, Any]:
        answer = self.pay(order)
        assert answer.status == 201, answer.body
        payment: dict[str, Any] = answer.json
        return payment

    def external_id(self, payment: dict[str, Any]) -> str:
        """Return a payment's id at the provider."""
        raise NotImplementedError

    def confirm(self, payment: dict[str, Any]) -> None:
        """Let the customer confirm a payment."""
        raise NotImplementedError

    def confirm_all(self) -> None:
        """Let the customer confirm all payments that can be."""
        raise NotImplementedError

    def decline(self, payment: dict[str, Any]) -> None:
        """Let the customer confirm a payment with a card that is declined."""
        raise NotImplementedError

    def lapse(self, payment: dict[str, Any]) -> None:
        """Let an authorization lapse."""
        raise NotImplementedError

    def refuse_capture(self, payment: dict[str, Any]) -> None:
        """Let the bank refuse a payment when it is captured."""
        raise NotImplementedError

    def refund_elsewhere(self, payment: dict[str, Any], amount: str = "25.98") -> None:
        """Refund a payment on the provider's own pages."""
        raise NotImplementedError

    @contextmanager
    def refunds_are(self, status: str) -> Iterator[None]:
        """Let new refunds be `pending` or `failed`."""
        raise NotImplementedError

    def settle_refunds(self) -> None:
        """Let refunds that are pending succeed."""
        raise NotImplementedError

    def held(self) -> list[str]:
        """Return what is held of each payment: `nothing`, `authorization`, `money` or `void`."""
        raise NotImplementedError

    def refresh(self, payment: dict[str, Any]) -> Answer:
        return self.shop.post(f"/payments/{payment['id']}/refresh", None)

    def payment(self, payment: dict[str, Any]) -> dict[str, Any]:
        shown: dict[str, Any] = self.shop.get(f"/payments/{payment['id']}").json
        return shown

    def state(self, order: str) -> tuple[str, str]:
        shown = self.shop.get(f"/orders/{order}").json
        return shown["status"], shown["payment_status"]

    def events(self) -> list[dict[str, Any]]:
        """Return the events of the provider, newest first."""
        return self.banks.store.all(self.account, "event")

    def signed(self, event: str, webhook: str = "") -> dict[str, str]:
        """Return the headers with which the provider signs an event."""
        raise NotImplementedError

    def notify(self, event: str, webhook: str = "") -> Answer:
        """Send an event as the provider does."""
        path = f"/v1/payment-events/{self.provider}/{self.shop.tenant}"
        headers = {"Content-Type": "application/json"} | self.signed(event, webhook)
        return self.shop.send("POST", path, headers, event.encode())

    def process(self, event: dict[str, Any]) -> None:
        """Let a message about an event be handled."""
        key = keys.inbox(self.shop.tenant, self.provider, event["id"])
        message = {"tenant": self.shop.tenant, **key._asdict()}
        invoke("ProcessPaymentEvents", {"Records": [{"body": json.dumps(message), "messageId": "1"}]})

    def money(self) -> int:
        """Return what the provider has, in cents, fees left out."""
        raise NotImplementedError

    def books(self) -> int:
        """Return what the books say that the provider has, in cents."""
        for account in self.shop.walk(50, "/ledger/accounts?"):
            if account["code"] == f"shop.{self.provider}.EUR":
                balance = self.shop.get(f"/ledger/accounts/{account['id']}/balance").json["balance"]["amount"]
                return round(float(balance) * 100)
        return 0


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
        return {"Stripe-Signature": signature(event, webhook or self.webhook, now().timestamp())}

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
        self.banks.paypal.approve(self.account, self.external_id(payment), accept=True)

    def confirm_all(self) -> None:
        for order in self.orders():
            self.banks.paypal.approve(self.account, order["id"], accept=True)

    def decline(self, payment: dict[str, Any]) -> None:
        self.banks.paypal.approve(self.account, self.external_id(payment), accept=False)

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
            self.banks.paypal.settle(self.account, each["id"])

    def held(self) -> list[str]:
        return [_held(order) for order in self.orders()]

    def signed(self, event: str, webhook: str = "") -> dict[str, str]:
        endpoint = {"provider": "paypal", "webhook": webhook or self.webhook, "base": f"{self.address}/paypal"}
        return self.banks.signed(endpoint, event)

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


def sweep() -> Any:
    _look_for_work()
    return invoke("SweepPayments", scheduled_event(now()))


def expire() -> Any:
    _look_for_work()
    return invoke("ExpireHolds", scheduled_event(now()))
