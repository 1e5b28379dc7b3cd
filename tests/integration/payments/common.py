"""A shop with an account at a simulated provider, and its customers."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from urllib3.exceptions import ReadTimeoutError

from domain.common.environment import now
from local.aws.scheduler import scheduled_event
from local.invocation import invoke
from local.simulators.banks import Banks, signature
from repositories.aws.clients import dynamodb
from repositories.dynamodb import keys
from repositories.dynamodb.codec import encode, new_row
from repositories.dynamodb.work_list import Work
from repositories.payments.providers import http
from tests.shop import Answer, Shop

ORDER = {"amount": "25.98", "currency": "EUR"}


class Clock:
    """Time as sweeps see it."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.ahead = timedelta()
        minute = now().replace(second=0, microsecond=0) - timedelta(minutes=2)
        for kind in (Work.HOLD, Work.PAYMENT, Work.REFUND, Work.INBOX):
            # Other tests have swept at other times.
            mark = new_row(keys.sweep_mark(kind), "sweep", sweep_minute=minute.isoformat())
            dynamodb().put_item(TableName="tradepost", Item=encode(mark))
        for name in ("expire_holds", "sweep_payments", "process_payment_events"):
            patch.setattr(f"handlers.triggers.{name}.now", lambda: now() + self.ahead)


@dataclass
class Till:
    """A shop, its account at Stripe, and a customer's card."""

    shop: Shop
    banks: Banks
    address: str
    key: str = field(default_factory=lambda: f"sk_test_{uuid4().hex}")
    webhook_secret: str = field(default_factory=lambda: f"whsec_{uuid4().hex}")

    @classmethod
    def opened(cls, shop: Shop, banks: Banks, address: str) -> "Till":
        till = cls(shop, banks, address)
        credentials = {"secret_key": till.key, "webhook_secret": till.webhook_secret}
        answer = shop.call("PUT", "/payment-providers/stripe", {"credentials": credentials, "enabled": True})
        assert answer.status == 200, answer.body
        return till

    def set(self, **fields: Any) -> Answer:
        credentials = {"secret_key": self.key, "webhook_secret": self.webhook_secret}
        body = {"credentials": credentials | fields.pop("credentials", {})} | fields
        return self.shop.call("PUT", "/payment-providers/stripe", body)

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
        """Let the provider forget its keys, as it does after a day."""
        self.banks.store.forget_keys(self.account)

    @property
    def account(self) -> str:
        return str(self.shop.get("/payment-providers/stripe").json["account"])

    def order(self, units: int = 2) -> str:
        item = self.shop.add(stock=9)["id"]
        return str(self.shop.order({item: units}).json["id"])

    def pay(self, order: str, key: str = "") -> Answer:
        return self.shop.post(f"/orders/{order}/payments", {"provider": "stripe"}, key or uuid4().hex)

    def begun(self, order: str) -> dict[str, Any]:
        answer = self.pay(order)
        assert answer.status == 201, answer.body
        payment: dict[str, Any] = answer.json
        return payment

    def stripe(self, method: str, path: str, **fields: str) -> httpx.Response:
        return httpx.request(
            method, f"{self.address}/v1{path}", data=fields, headers={"Authorization": f"Bearer {self.key}"}
        )

    def confirm(self, payment: dict[str, Any], card: str = "pm_card_visa") -> httpx.Response:
        return self.stripe("POST", f"/payment_intents/{self.intent_of(payment)}/confirm", payment_method=card)

    def intent_of(self, payment: dict[str, Any]) -> str:
        secret: str = payment["client_secret"]
        return secret.partition("_secret")[0]

    def intents(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.stripe("GET", "/payment_intents?limit=100").json()["data"]
        return found

    def refresh(self, payment: dict[str, Any]) -> Answer:
        return self.shop.post(f"/payments/{payment['id']}/refresh", None)

    def payment(self, payment: dict[str, Any]) -> dict[str, Any]:
        shown: dict[str, Any] = self.shop.get(f"/payments/{payment['id']}").json
        return shown

    def state(self, order: str) -> tuple[str, str]:
        shown = self.shop.get(f"/orders/{order}").json
        return shown["status"], shown["payment_status"]

    def notify(self, event: str, secret: str = "") -> Answer:
        """Send an event as Stripe does."""
        header = {"Stripe-Signature": signature(event, secret or self.webhook_secret, now().timestamp())}
        path = f"/v1/payment-events/stripe/{self.shop.tenant}"
        return self.shop.send("POST", path, {"Content-Type": "application/json"} | header, event.encode())

    def process(self, event: dict[str, Any]) -> None:
        """Let a message about an event be handled."""
        key = keys.inbox(self.shop.tenant, "stripe", event["id"])
        message = {"tenant": self.shop.tenant, **key._asdict()}
        invoke("ProcessPaymentEvents", {"Records": [{"body": json.dumps(message), "messageId": "1"}]})

    def money(self) -> int:
        """Return what the provider has, fees left out."""
        moved = self.banks.store.all(self.account, "balance_transaction")
        return sum(each["amount"] for each in moved)

    def books(self) -> int:
        """Return what the books say that the provider has, in cents."""
        for account in self.shop.walk(50, "/ledger/accounts?"):
            if account["code"] == "shop.stripe.EUR":
                balance = self.shop.get(f"/ledger/accounts/{account['id']}/balance").json["balance"]["amount"]
                return round(float(balance) * 100)
        return 0


def sweep() -> Any:
    return invoke("SweepPayments", scheduled_event(now()))


def expire() -> Any:
    return invoke("ExpireHolds", scheduled_event(now()))
