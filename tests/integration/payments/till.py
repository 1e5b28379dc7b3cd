"""A shop with an account at a simulated provider, whichever it is, and its customers."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self
from uuid import uuid4

import pytest
from urllib3.exceptions import ReadTimeoutError

from local.invocation import invoke
from local.simulators.banks import Banks
from repositories.dynamodb import keys
from repositories.payments.providers import http
from tests.shop import Answer, Shop

ORDER = {"amount": "25.98", "currency": "EUR"}


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
        """Return what the books say that the provider has, in cents, fees left out."""
        balances = self.balances()
        return balances.get(self.provider, 0) + balances.get("provider_fees", 0)

    def balances(self) -> dict[str, int]:
        """Return the balances of the shop's accounts in euros, in cents."""
        codes = {account["code"]: account["id"] for account in self.shop.walk(50, "/ledger/accounts?")}
        found = {}
        for code, account_id in codes.items():
            if code.endswith(".EUR"):
                balance = self.shop.get(f"/ledger/accounts/{account_id}/balance").json["balance"]["amount"]
                found[code.split(".")[1]] = round(float(balance) * 100)
        return found
