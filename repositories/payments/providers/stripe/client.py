"""Stripe, through its HTTP API (https://docs.stripe.com/api): payment intents that are captured by hand.

The official library takes twice the CPU of a whole cold start to import; what is needed of the API is a page.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar
from urllib.parse import quote, urlencode

from domain.common.errors import InvalidState
from domain.common.iso.currencies import MINOR_UNITS
from domain.common.money import Money
from domain.payments.protocol import Held
from repositories.payments.providers import http
from repositories.payments.providers.provider import (
    Access,
    Answer,
    CredentialsRefused,
    OutcomeUnknown,
    Received,
    Refused,
    Subject,
)
from repositories.payments.providers.stripe.signatures import is_signed
from repositories.payments.rows import StoredPayment

API_VERSION = "2026-10-28.endive"
"""Version of the API whose answers this module understands: that of the library that the tests use."""
_DIGITS = {"ISK": 2, "UGX": 2, "MGA": 0}
"""Digits of amounts where Stripe's are not those of ISO 4217 (Stripe documentation, "Supported currencies")."""
_ROUNDED_DIGITS = 3
"""Digits of currencies whose last one must be 0 (same page, "Three-decimal currencies")."""
_HELD = {
    "requires_payment_method": Held.NOTHING,
    "requires_confirmation": Held.NOTHING,
    "requires_action": Held.NOTHING,
    "processing": Held.NOTHING,
    "requires_capture": Held.AUTHORIZATION,
    "succeeded": Held.MONEY,
    "canceled": Held.ENDED,
}
"""What each status of a payment intent means (Stripe documentation, "How PaymentIntents work")."""
_UNAUTHORIZED, _FORBIDDEN, _PAYMENT_REQUIRED, _NOT_FOUND = 401, 403, 402, 404
_REFUNDED = "charge_already_refunded"
_FINAL = frozenset({"succeeded", "canceled"})
_UNDECIDED = frozenset({"pending", "requires_action"})
"""Statuses of a refund that may still fail (Stripe API, "The Refund object")."""
_EXPANDED = "expand%5B%5D=latest_charge"
_MOST = 100


@dataclass(frozen=True, slots=True)
class Stripe:
    """Stripe, with the secret key of one account."""

    access: Access
    signature_header: ClassVar[str] = "Stripe-Signature"

    def is_genuine(self, received: Received) -> bool:
        """Return whether the signature is of one of the webhook secrets, and of about now."""
        header = received.header(self.signature_header)
        return is_signed(received.body, header, self.access.credentials.webhooks, received.at)

    def subject(self, event: Mapping[str, Any]) -> Subject | None:
        """Return the payment that the metadata of an event's object name."""
        about: Any = event
        for name in ("data", "object", "metadata"):
            about = about.get(name) if isinstance(about, dict) else None
        metadata = about if isinstance(about, dict) else {}
        return Subject(str(metadata.get("tenant")), str(metadata.get("payment"))) if "payment" in metadata else None

    def account(self) -> str:
        """Return the id of the account. Raises CredentialsRefused, OutcomeUnknown."""
        return str(self._ask("GET", "/v1/account")["id"])

    def require_chargeable(self, amount: Money) -> None:
        """Raise InvalidState for an amount that cannot be charged."""
        minor_of(amount)

    def create(self, payment: StoredPayment) -> Answer:
        """Create a payment intent whose key is the payment's id."""
        fields = {
            "amount": minor_of(payment.amount),
            "currency": payment.amount.currency.lower(),
            "capture_method": "manual",
            "automatic_payment_methods": {"enabled": "true"},
            "metadata": {"tenant": self.access.tenant, "order": payment.order_id, "payment": payment.id},
            "expand": ["latest_charge"],
        }
        return self._answer(payment, self._ask("POST", "/v1/payment_intents", fields, key=payment.id))

    def find(self, payment: StoredPayment) -> Answer | None:
        """Search by metadata (Stripe API, "Search PaymentIntents"; what is younger than a minute may be missing)."""
        query = urlencode({"query": f"metadata['payment']:'{payment.id}'"})
        found = self._ask("GET", f"/v1/payment_intents/search?{query}")["data"]
        return self._look_at(payment, found[0]["id"]) if found else None

    def look(self, payment: StoredPayment) -> Answer:
        """Retrieve the payment intent and its latest charge."""
        return self._look_at(payment, payment.external_id or "")

    def capture(self, payment: StoredPayment) -> Answer:
        """Capture the payment intent, or say what has become of it.

        A refusal is final: another capture with the same key is refused as well. What is in process is not known.
        """
        intent = self._change(payment, "capture", f"{payment.id}:capture")
        if intent["status"] == "processing":
            raise OutcomeUnknown("the capture is in process")
        answer = self._answer(payment, intent)
        return replace(answer, held=Held.NOTHING) if answer.held is Held.AUTHORIZATION else answer

    def void(self, payment: StoredPayment) -> Answer:
        """Cancel the payment intent, or say what has become of it."""
        return self._answer(payment, self._change(payment, "cancel", f"{payment.id}:void"))

    def give_back(self, payment: StoredPayment) -> Answer:
        """Refund all that is left of the payment intent, and look at it."""
        self._refund(payment, f"{payment.id}:refund", {})
        return self.look(payment)

    def refund(self, payment: StoredPayment, refund_id: str, amount: Money) -> None:
        """Create a refund with the key `refund_id`, unless one names it: keys are forgotten after a day."""
        self._refund(payment, refund_id, {"amount": minor_of(amount)})

    def _refund(self, payment: StoredPayment, refund_id: str, fields: Mapping[str, Any]) -> None:
        query = urlencode({"payment_intent": payment.external_id or "", "limit": _MOST})
        made = self._ask("GET", f"/v1/refunds?{query}")["data"]
        found = next((each for each in made if (each.get("metadata") or {}).get("refund") == refund_id), None)
        noted = {"tenant": self.access.tenant, "payment": payment.id, "refund": refund_id}
        wanted = {"payment_intent": payment.external_id, "metadata": noted, **fields}
        try:
            refund = found or self._ask("POST", "/v1/refunds", wanted, key=refund_id)
        except Refused as refused:
            if refused.code == _REFUNDED and not fields:
                return  # all of it was refunded otherwise
            raise
        if refund["status"] in _UNDECIDED:
            raise OutcomeUnknown(f"{refund['id']} is {refund['status']}")
        if refund["status"] != "succeeded":
            raise Refused(f"The refund is {refund['status']}.")

    def _change(self, payment: StoredPayment, what: str, key: str) -> Any:
        """Return the payment intent after a change; one that was refused, or may have been made, is looked at.

        Raises OutcomeUnknown if the change may still be made.
        """
        path = f"/v1/payment_intents/{quote(payment.external_id or '', safe='')}"
        present = f"{path}?{_EXPANDED}"
        try:
            return self._ask("POST", f"{path}/{what}", {"expand": ["latest_charge"]}, key=key, present=present)
        except CredentialsRefused:
            raise
        except Refused:
            return self._ask("GET", present)
        except OutcomeUnknown:
            intent = self._ask("GET", present)
            if intent["status"] in _FINAL:
                return intent
            raise

    def _look_at(self, payment: StoredPayment, external_id: str) -> Answer:
        path = f"/v1/payment_intents/{quote(external_id, safe='')}"
        return self._answer(payment, self._ask("GET", f"{path}?{_EXPANDED}"))

    def _ask(
        self, method: str, path: str, fields: Mapping[str, Any] | None = None, key: str = "", present: str = ""
    ) -> Any:
        """Return the body of a success. Raises Refused, OutcomeUnknown.

        An answer that is repeated for a key may be old: then what is at `present` is returned instead, if given.
        """
        headers = {
            "Authorization": f"Bearer {self.access.credentials.secrets['secret_key']}",
            "Stripe-Version": API_VERSION,
        }
        if key:
            headers["Idempotency-Key"] = key
        body = None
        if method == "POST":
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            body = urlencode([*_flat(fields or {})])
        response = http.request(method, self.access.base + path, headers, body, self.access.deadline)
        if response.status < 300:
            is_old = response.headers.get("Idempotent-Replayed") == "true"
            return self._ask("GET", present) if is_old and present else response.body
        raise _refusal(response)

    def _answer(self, payment: StoredPayment, intent: Mapping[str, Any]) -> Answer:
        """Return what a payment intent says. Raises OutcomeUnknown if it is not the payment's, or not all of it."""
        held = _HELD.get(intent["status"])
        is_same = intent["metadata"].get("payment") == payment.id and intent["amount"] == minor_of(payment.amount)
        if held is None or not is_same:
            raise OutcomeUnknown(f"{intent['id']} is {intent['status']}, and not what was asked for")
        if held is Held.MONEY:
            held = _of_charge(intent)
        failure = (intent.get("last_payment_error") or {}).get("message")
        return Answer(held, intent["id"], intent.get("client_secret"), failure=failure)


def _of_charge(intent: Mapping[str, Any]) -> Held:
    """Return what is held of a payment intent that succeeded. Raises OutcomeUnknown if not all of it was captured."""
    if intent["amount_received"] != intent["amount"]:
        raise OutcomeUnknown(f"{intent['id']} has {intent['amount_received']} of {intent['amount']}")
    charge = intent.get("latest_charge")
    return Held.GIVEN_BACK if isinstance(charge, dict) and charge.get("refunded") else Held.MONEY


def _refusal(response: http.Response) -> Refused:
    error = response.body.get("error") or {}
    reason, code = str(error.get("message") or f"HTTP {response.status}"), str(error.get("code") or "")
    if response.status in {_UNAUTHORIZED, _FORBIDDEN}:
        return CredentialsRefused("The credentials are not accepted.", code=code)
    return Refused(reason, is_declined=response.status == _PAYMENT_REQUIRED, code=code)


def minor_of(money: Money) -> int:
    """Return an amount as Stripe counts it. Raises InvalidState if it has a fraction that Stripe cannot charge."""
    digits = _DIGITS.get(money.currency, MINOR_UNITS[money.currency])
    amount = money.amount.scaleb(digits)
    if amount != amount.to_integral_value() or (digits == _ROUNDED_DIGITS and int(amount) % 10):
        raise InvalidState(f"Stripe cannot charge {money}: it has too fine a fraction.")
    return int(amount)


def _flat(fields: Mapping[str, Any] | Sequence[Any], under: str = "") -> Iterator[tuple[str, str]]:
    """Yield nested fields as a form has them: `metadata[order]`, `expand[0]`."""
    pairs = fields.items() if isinstance(fields, Mapping) else enumerate(fields)
    for name, value in pairs:
        path = f"{under}[{name}]" if under else str(name)
        if isinstance(value, Mapping | list):
            yield from _flat(value, path)
        else:
            yield path, str(value)
