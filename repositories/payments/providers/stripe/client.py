"""Stripe, through its HTTP API (https://docs.stripe.com/api): payment intents that are captured by hand.

The official library takes twice the CPU of a whole cold start to import; what is needed of the API is a page.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar
from urllib.parse import quote, urlencode

from domain.common.money import Money
from domain.payments.protocol import Held
from repositories.payments.providers.provider import (
    Access,
    Answer,
    CredentialsRefused,
    OutcomeUnknown,
    Received,
    Refused,
    Subject,
)
from repositories.payments.providers.stripe.amounts import minor_of
from repositories.payments.providers.stripe.asking import ask
from repositories.payments.providers.stripe.signatures import is_signed
from repositories.payments.rows import StoredPayment

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

    def is_of_balance(self, event: Mapping[str, Any]) -> bool:
        """Return whether an event's type is one of disputes or payouts (Stripe API, "Types of events")."""
        return str(event.get("type", "")).startswith(("charge.dispute.", "payout."))

    def account(self) -> str:
        """Return the id of the account. Raises CredentialsRefused, OutcomeUnknown."""
        return str(ask(self.access, "GET", "/v1/account")["id"])

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
        return self._answer(payment, ask(self.access, "POST", "/v1/payment_intents", fields, key=payment.id))

    def find(self, payment: StoredPayment) -> Answer | None:
        """Search by metadata (Stripe API, "Search PaymentIntents"; what is younger than a minute may be missing)."""
        query = urlencode({"query": f"metadata['payment']:'{payment.id}'"})
        found = ask(self.access, "GET", f"/v1/payment_intents/search?{query}")["data"]
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
        made = ask(self.access, "GET", f"/v1/refunds?{query}")["data"]
        found = next((each for each in made if (each.get("metadata") or {}).get("refund") == refund_id), None)
        noted = {"tenant": self.access.tenant, "payment": payment.id, "refund": refund_id}
        wanted = {"payment_intent": payment.external_id, "metadata": noted, **fields}
        try:
            refund = found or ask(self.access, "POST", "/v1/refunds", wanted, key=refund_id)
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
            return ask(self.access, "POST", f"{path}/{what}", {"expand": ["latest_charge"]}, key=key, present=present)
        except CredentialsRefused:
            raise
        except Refused:
            return ask(self.access, "GET", present)
        except OutcomeUnknown:
            intent = ask(self.access, "GET", present)
            if intent["status"] in _FINAL:
                return intent
            raise

    def _look_at(self, payment: StoredPayment, external_id: str) -> Answer:
        path = f"/v1/payment_intents/{quote(external_id, safe='')}"
        return self._answer(payment, ask(self.access, "GET", f"{path}?{_EXPANDED}"))

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
