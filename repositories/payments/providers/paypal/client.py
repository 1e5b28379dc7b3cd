"""PayPal, through its HTTP API (https://developer.paypal.com/docs/api/orders/v2/): orders that are authorised.

An order that the customer has approved is authorised when it is looked at, and captured when its payment has locked
the order here. An authorization that was voided cannot be captured any more, whatever was asked before.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar
from urllib.parse import quote

from domain.common.money import Money
from domain.payments.protocol import Held
from repositories.payments.providers.paypal.amounts import is_amount, to_paypal
from repositories.payments.providers.paypal.asking import ask, token
from repositories.payments.providers.paypal.signatures import is_signed
from repositories.payments.providers.provider import (
    Access,
    Answer,
    CredentialsRefused,
    OutcomeUnknown,
    Received,
    Refused,
    Subject,
)
from repositories.payments.rows import StoredPayment

_APPROVAL = frozenset({"approve", "payer-action"})
"""Relations of the link where the customer confirms (Orders API, "Create order")."""
_AUTHORIZED = "CREATED"
_OPEN_AUTHORIZATION = frozenset({_AUTHORIZED, "PENDING"})
"""Statuses of authorizations that can be voided; one that is pending cannot be captured yet."""
_ENDED_AUTHORIZATION = frozenset({"DENIED", "VOIDED", "EXPIRED"})
_CAPTURES = {
    "COMPLETED": Held.MONEY,
    "PARTIALLY_REFUNDED": Held.MONEY,
    "REFUNDED": Held.GIVEN_BACK,
    "DECLINED": Held.ENDED,
    "FAILED": Held.ENDED,
}
"""What each status of a capture means (Payments API, "Show captured payment details"). PENDING: not known yet."""
_NOT_FOUND = frozenset({"RESOURCE_NOT_FOUND", "INVALID_RESOURCE_ID"})
_FULLY_REFUNDED = "CAPTURE_FULLY_REFUNDED"
_SEPARATOR = ","


@dataclass(frozen=True, slots=True)
class PayPal:
    """PayPal, with the credentials of one app."""

    access: Access
    signature_header: ClassVar[str] = "PayPal-Transmission-Sig"

    def is_genuine(self, received: Received) -> bool:
        """Return whether PayPal says that it has signed what was received. Raises Refused, OutcomeUnknown."""
        return is_signed(self.access, received)

    def subject(self, event: Mapping[str, Any]) -> Subject | None:
        """Return the payment that the `custom_id` of an event's resource names."""
        resource = event.get("resource")
        if not isinstance(resource, dict):
            return None
        units = resource.get("purchase_units")
        first = units[0] if isinstance(units, list) and units and isinstance(units[0], dict) else resource
        tenant, _, rest = str(first.get("custom_id", "")).partition(_SEPARATOR)
        return Subject(tenant, rest.partition(_SEPARATOR)[0]) if rest else None

    def is_of_balance(self, event: Mapping[str, Any]) -> bool:
        """Return whether an event's type is one of disputes (Webhooks API, "Event names")."""
        return str(event.get("event_type", "")).startswith("CUSTOMER.DISPUTE.")

    def account(self) -> str:
        """Return the id of the app. Raises CredentialsRefused, OutcomeUnknown."""
        token(self.access, anew=True)
        return self.access.credentials.secrets["client_id"]

    def require_chargeable(self, amount: Money) -> None:
        """Raise InvalidState for an amount that cannot be charged."""
        to_paypal(amount)

    def create(self, payment: StoredPayment) -> Answer:
        """Create an order whose key is the payment's id."""
        context = {"user_action": "PAY_NOW", "shipping_preference": "NO_SHIPPING"}
        if payment.return_url:
            context |= {"return_url": payment.return_url, "cancel_url": payment.return_url}
        unit = {"custom_id": self._noted(payment.id), "invoice_id": payment.id, "amount": to_paypal(payment.amount)}
        source = {"paypal": {"experience_context": context}}
        wanted = {"intent": "AUTHORIZE", "purchase_units": [unit], "payment_source": source}
        order = ask(self.access, "POST", "/v2/checkout/orders", wanted, key=payment.id)
        return Answer(Held.NOTHING, order["id"], approve_url=_approval(order))

    def find(self, payment: StoredPayment) -> Answer | None:  # noqa: ARG002 - there is no search
        """Return None: orders cannot be searched for, and an order that was not shown is never approved."""
        return None

    def look(self, payment: StoredPayment) -> Answer:
        """Look at the order, and authorise it if the customer has approved it."""
        order = self._order(payment)
        failure = None
        if order["status"] == "APPROVED":
            order, failure = self._authorized(payment)
        return replace(self._answer(payment, order), failure=failure)

    def _authorized(self, payment: StoredPayment) -> tuple[Any, str | None]:
        """Return an approved order after it was authorised, or why it was refused. It can be authorised once only."""
        try:
            ask(self.access, "POST", f"{_order_path(payment)}/authorize", {})
        except CredentialsRefused:
            raise
        except Refused as refused:
            return self._order(payment), refused.reason if refused.is_declined else None
        return self._order(payment), None

    def capture(self, payment: StoredPayment) -> Answer:
        """Capture the whole authorization, once, or say what has become of it.

        A refusal is final for the payment: it is voided then.
        """
        order = self._order(payment)
        present = self._answer(payment, order)
        if present.held is not Held.AUTHORIZATION:
            return present
        path = f"/v2/payments/authorizations/{_quoted(_authorizations(order)[0]['id'])}/capture"
        wanted = {"amount": to_paypal(payment.amount), "invoice_id": payment.id, "final_capture": True}
        failure = None
        try:
            ask(self.access, "POST", path, wanted, key=f"{payment.id}:capture")
        except CredentialsRefused:
            raise
        except Refused as refused:
            failure = refused.reason
        except OutcomeUnknown:
            after = self._answer(payment, self._order(payment))
            if after.held is Held.AUTHORIZATION:
                raise
            return after
        after = self._answer(payment, self._order(payment))
        if after.held is Held.AUTHORIZATION:
            return replace(after, held=Held.NOTHING, failure=failure)
        return replace(after, failure=failure)

    def void(self, payment: StoredPayment) -> Answer:
        """Void the authorization, or say what has become of it.

        An order that was approved is authorised first: then it never can be again.
        """
        order = self._order(payment)
        if order["status"] == "APPROVED":
            order, _ = self._authorized(payment)
        for each in _authorizations(order):
            if each["status"] in _OPEN_AUTHORIZATION:
                self._void(each["id"])
                order = self._order(payment)
        present = self._answer(payment, order)
        return replace(present, held=Held.ENDED) if present.held is Held.NOTHING else present

    def _void(self, authorization_id: str) -> None:
        """Void an authorization, unless it was captured or voided."""
        try:
            ask(self.access, "POST", f"/v2/payments/authorizations/{_quoted(authorization_id)}/void", {})
        except CredentialsRefused:
            raise
        except Refused:
            return

    def give_back(self, payment: StoredPayment) -> Answer:
        """Refund all that is left of the capture, and look at it."""
        self._refund(payment, f"{payment.id}:refund", {})
        return self.look(payment)

    def refund(self, payment: StoredPayment, refund_id: str, amount: Money) -> None:
        """Refund an amount with the key `refund_id`, unless a refund names it: keys are forgotten."""
        self._refund(payment, refund_id, {"amount": to_paypal(amount)})

    def _refund(self, payment: StoredPayment, refund_id: str, fields: Mapping[str, Any]) -> None:
        payments = _payments(self._order(payment))
        noted = self._noted(payment.id, refund_id)
        made = next((each for each in payments.get("refunds", []) if each.get("custom_id") == noted), None)
        capture = next(iter(payments.get("captures", [])), None)
        if capture is None:
            raise Refused("There is no capture to refund.")
        path = f"/v2/payments/captures/{_quoted(capture['id'])}/refund"
        try:
            refund = made or ask(self.access, "POST", path, {"custom_id": noted, **fields}, key=refund_id)
        except Refused as refused:
            if refused.code == _FULLY_REFUNDED and not fields:
                return  # all of it was refunded otherwise
            raise
        if refund["status"] == "PENDING":
            raise OutcomeUnknown(f"{refund['id']} is pending")
        if refund["status"] != "COMPLETED":
            raise Refused(f"The refund is {refund['status']}.")

    def _noted(self, *ids: str) -> str:
        """Return what PayPal is asked to note of a payment or refund."""
        return _SEPARATOR.join([self.access.tenant, *ids])

    def _order(self, payment: StoredPayment) -> Any:
        """Return the order; one that PayPal does not know any more has lapsed."""
        try:
            return ask(self.access, "GET", _order_path(payment))
        except CredentialsRefused:
            raise
        except Refused as refused:
            if refused.code not in _NOT_FOUND:
                raise
            return {"id": payment.external_id, "status": "VOIDED", "purchase_units": []}

    def _answer(self, payment: StoredPayment, order: Mapping[str, Any]) -> Answer:
        return Answer(self._held(payment, order), order["id"], approve_url=_approval(order))

    def _held(self, payment: StoredPayment, order: Mapping[str, Any]) -> Held:
        """Return what an order holds. Raises OutcomeUnknown if it is not the payment's, or not all of it."""
        unit = next(iter(order["purchase_units"]), None)
        if order["status"] == "VOIDED" or unit is None:
            return Held.ENDED
        is_same = unit.get("custom_id") == self._noted(payment.id) and is_amount(_money(unit["amount"]), payment.amount)
        if not is_same:
            raise OutcomeUnknown(f"{order['id']} is not what was asked for")
        capture = next(iter(_payments(order).get("captures", [])), None)
        if capture:
            return _captured(capture, payment.amount)
        authorization = next(iter(_authorizations(order)), None)
        if authorization is None:
            return Held.NOTHING
        if authorization["status"] in _ENDED_AUTHORIZATION:
            return Held.ENDED
        return Held.AUTHORIZATION if authorization["status"] == _AUTHORIZED else Held.NOTHING


def _captured(capture: Mapping[str, Any], amount: Money) -> Held:
    held = _CAPTURES.get(capture["status"])
    if held is None or not is_amount(_money(capture["amount"]), amount):
        raise OutcomeUnknown(f"{capture['id']} is {capture['status']}, of {capture['amount']['value']}")
    return held


def _money(shown: Mapping[str, Any]) -> dict[str, str]:
    return {"currency_code": shown["currency_code"], "value": shown["value"]}


def _payments(order: Mapping[str, Any]) -> Mapping[str, Any]:
    unit: Mapping[str, Any] = next(iter(order["purchase_units"]), {})
    found: Mapping[str, Any] = unit.get("payments") or {}
    return found


def _authorizations(order: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    found: Sequence[Mapping[str, Any]] = _payments(order).get("authorizations", [])
    return found


def _approval(order: Mapping[str, Any]) -> str | None:
    return next((str(each["href"]) for each in order.get("links", []) if each["rel"] in _APPROVAL), None)


def _order_path(payment: StoredPayment) -> str:
    return f"/v2/checkout/orders/{_quoted(payment.external_id or '')}"


def _quoted(text: str) -> str:
    return quote(text, safe="")
