"""Payments of the simulated PayPal: orders, authorizations, captures and refunds.

The customer approves, or declines, on the page of the simulators. What lapses is found when it is looked at.
"""

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from random import Random
from urllib.parse import urlsplit

from local.simulators.paypal import objects
from local.simulators.paypal.balance import Account, Balance
from local.simulators.paypal.errors import PayPalError, missing, not_found, refused
from local.simulators.paypal.objects import Fields, shown
from local.simulators.store import Store

APPROVAL_LASTS, AUTHORIZATION_LASTS = 3 * 3600, 29 * 86400
"""Seconds in which an order can be approved (PayPal support), and for which an authorization lasts (Payments API)."""
_WAITING = ("CREATED", "PAYER_ACTION_REQUIRED")
_CURRENCY_LENGTH, _LONGEST = 3, 127


class Payments(Balance):
    """Payments of all accounts. `chance` makes ids, and `now` is its clock, in seconds since the epoch."""

    def __init__(self, store: Store, chance: Random, now: Callable[[], float]) -> None:
        super().__init__(store, chance, now)
        self.refund_status = "COMPLETED"
        """Status of new refunds; one that is FAILED moves no money."""

    def create(self, account: Account, given: Fields) -> Fields:
        """Create an order."""
        _require_order(given)
        order_id = self._new_id()
        order = objects.order(order_id, given, self._now(), account.base, account.page)
        return self.store.put(account.id, "order", order | {"_created": self._now()})

    def show(self, account: Account, _given: Fields, order_id: str) -> Fields:
        """Return an order; one that was not approved in time is not known any more."""
        return self._order(account.id, order_id)

    def _order(self, account: str, order_id: str) -> Fields:
        order = self.store.get(account, "order", order_id)
        if order is None:
            raise not_found(order_id)
        if order["status"] != "COMPLETED" and order["_created"] + APPROVAL_LASTS <= self._now():
            raise not_found(order_id)
        return order

    def authorize(self, account: Account, _given: Fields, order_id: str) -> Fields:
        """Authorise an order that the customer has approved."""
        order = self._order(account.id, order_id)
        if order["status"] == "COMPLETED":
            raise refused("ORDER_ALREADY_AUTHORIZED", "Order already authorized.")
        if order["status"] != "APPROVED":
            raise refused("ORDER_NOT_APPROVED", "Payer has not yet approved the Order for payment.")
        if order.get("_declined"):
            order |= {"status": "PAYER_ACTION_REQUIRED", "_declined": False}
            self.store.put(account.id, "order", order)
            raise refused("INSTRUMENT_DECLINED", "The instrument presented was declined.")
        unit = order["purchase_units"][0]
        made = objects.authorization(self._new_id(), unit, self._now(), AUTHORIZATION_LASTS, account.base)
        self._keep_authorization(account.id, order_id, made)
        self._announce(account.id, "PAYMENT.AUTHORIZATION.CREATED", "authorization", made)
        return self._order(account.id, order_id)

    def _keep_authorization(self, account: str, order_id: str, made: Fields) -> Fields:
        """Store an authorization, and show it in its order."""
        self.store.put(
            account, "authorization", made | {"_order": order_id, "_lapses": self._now() + AUTHORIZATION_LASTS}
        )
        return self._show_in_order(account, order_id, "authorizations", made)

    def _show_in_order(self, account: str, order_id: str, kind: str, made: Fields) -> Fields:
        order = self.store.get(account, "order", order_id) or {}
        unit = order["purchase_units"][0]
        others = [each for each in unit.get("payments", {}).get(kind, []) if each["id"] != made["id"]]
        unit["payments"] = unit.get("payments", {}) | {kind: [*others, made]}
        return self.store.put(account, "order", order | {"status": "COMPLETED", "purchase_units": [unit]})

    def show_authorization(self, account: Account, _given: Fields, authorization_id: str) -> Fields:
        """Return an authorization."""
        return self._authorization(account.id, authorization_id)

    def _authorization(self, account: str, authorization_id: str) -> Fields:
        found = self.store.get(account, "authorization", authorization_id)
        if found is None:
            raise not_found(authorization_id)
        if found["status"] == "CREATED" and found["_lapses"] <= self._now():
            return self._end(account, found)
        return found

    def _end(self, account: str, authorization: Fields) -> Fields:
        """Let an authorization be void."""
        after = authorization | {"status": "VOIDED", "update_time": objects.time(self._now())}
        self.store.put(account, "authorization", after)
        self._show_in_order(account, after["_order"], "authorizations", shown(after))
        self._announce(account, "PAYMENT.AUTHORIZATION.VOIDED", "authorization", shown(after))
        return after

    def capture(self, account: Account, given: Fields, authorization_id: str) -> Fields:
        """Capture an authorization as a whole."""
        authorization = self._authorization(account.id, authorization_id)
        if authorization["status"] == "CAPTURED":
            raise refused("AUTHORIZATION_ALREADY_CAPTURED", "Authorization has already been captured.")
        if authorization["status"] != "CREATED":
            raise refused("AUTHORIZATION_VOIDED", "A voided authorization cannot be captured or reauthorized.")
        if given.get("amount", authorization["amount"]) != authorization["amount"]:
            raise refused("MAX_CAPTURE_AMOUNT_EXCEEDED", "This simulator captures what was authorized.")
        if authorization.get("_refuses"):
            raise refused("TRANSACTION_REFUSED", "PayPal's internal controls have prevented the transaction.")
        made = objects.capture(self._new_id(), authorization, self._now(), account.base)
        after = authorization | {"status": "CAPTURED"}
        self.store.put(account.id, "authorization", after)
        self._show_in_order(account.id, after["_order"], "authorizations", shown(after))
        self._keep_capture(account.id, made | {"_order": after["_order"]})
        breakdown = made["seller_receivable_breakdown"]
        self._move(account.id, made["id"], "T0006", made, Decimal(breakdown["paypal_fee"]["value"]))
        self._announce(account.id, "PAYMENT.CAPTURE.COMPLETED", "capture", made)
        return made

    def _keep_capture(self, account: str, made: Fields) -> None:
        self.store.put(account, "capture", made)
        self._show_in_order(account, made["_order"], "captures", shown(made))

    def void(self, account: Account, _given: Fields, authorization_id: str) -> Fields:
        """Void an authorization."""
        authorization = self._authorization(account.id, authorization_id)
        if authorization["status"] == "CAPTURED":
            raise refused("PREVIOUSLY_CAPTURED", "Authorization has been previously captured.")
        if authorization["status"] == "VOIDED":
            raise refused("PREVIOUSLY_VOIDED", "Authorization has been previously voided.")
        return self._end(account.id, authorization)

    def show_capture(self, account: Account, _given: Fields, capture_id: str) -> Fields:
        """Return a capture."""
        found = self.store.get(account.id, "capture", capture_id)
        if found is None:
            raise not_found(capture_id)
        return found

    def refund(self, account: Account, given: Fields, capture_id: str) -> Fields:
        """Refund a capture, or a part of it."""
        capture = self.show_capture(account, {}, capture_id)
        left = Decimal(capture["amount"]["value"]) - self._refunded(account.id, capture_id)
        if left == 0:
            raise refused("CAPTURE_FULLY_REFUNDED", "The capture has already been fully refunded.")
        amount = given.get("amount") or objects.money(left, capture["amount"])
        if Decimal(amount["value"]) > left:
            raise refused("REFUND_AMOUNT_EXCEEDED", "The refund amount must be less than or equal to what is left.")
        refund_id = self._new_id()
        made = objects.refund(refund_id, amount, given, self.refund_status, self._now(), account.base, capture_id)
        self.store.put(account.id, "refund", made | {"_capture": capture_id})
        self._show_in_order(account.id, capture["_order"], "refunds", made)
        if self.refund_status != "FAILED":
            paid = made | {"amount": objects.money(-Decimal(amount["value"]), amount)}
            self._move(account.id, refund_id, "T1107", paid, Decimal(0), capture_id)
            left -= Decimal(amount["value"])
            self._keep_capture(account.id, capture | {"status": "PARTIALLY_REFUNDED" if left else "REFUNDED"})
        self._announce(account.id, "PAYMENT.CAPTURE.REFUNDED", "refund", made)
        return made

    def settle_refund(self, account: str, refund_id: str) -> None:
        """Let a refund that is pending be made."""
        with self.store.changing():
            kept = self.store.get(account, "refund", refund_id) or {}
            after = self.store.put(account, "refund", kept | {"status": "COMPLETED"})
            capture = self.store.get(account, "capture", after["_capture"]) or {}
            self._show_in_order(account, capture["_order"], "refunds", shown(after))

    def _refunded(self, account: str, capture_id: str) -> Decimal:
        made = [each for each in self.store.all(account, "refund") if each["_capture"] == capture_id]
        return sum((Decimal(each["amount"]["value"]) for each in made if each["status"] != "FAILED"), Decimal(0))

    def show_refund(self, account: Account, _given: Fields, refund_id: str) -> Fields:
        """Return a refund."""
        found = self.store.get(account.id, "refund", refund_id)
        if found is None:
            raise not_found(refund_id)
        return found

    def confirm(self, account: str, order_id: str, *, accept: bool) -> None:
        """Do what a customer does on PayPal's page: approve an order, with a card that is good or is declined."""
        with self.store.changing():
            order = self._order(account, order_id)
            if order["status"] in _WAITING:
                after = self.store.put(account, "order", order | {"status": "APPROVED", "_declined": not accept})
                self._announce(account, "CHECKOUT.ORDER.APPROVED", "checkout-order", shown(after))

    def lapse(self, account: str, order_id: str) -> None:
        """Let what an order has authorised lapse."""
        with self.store.changing():
            for each in self._authorizations(account, order_id):
                if each["status"] == "CREATED":
                    self._end(account, each)

    def refuse_capture(self, account: str, order_id: str) -> None:
        """Let the capture of what an order has authorised be refused."""
        with self.store.changing():
            for each in self._authorizations(account, order_id):
                self.store.put(account, "authorization", each | {"_refuses": True})

    def _authorizations(self, account: str, order_id: str) -> list[Fields]:
        return [each for each in self.store.all(account, "authorization") if each["_order"] == order_id]


def _require_order(given: Fields) -> None:
    """Raise PayPalError unless an order can be created from what was given."""
    if given.get("intent") != "AUTHORIZE":
        raise PayPalError(400, "INVALID_PARAMETER_VALUE", "This simulator knows AUTHORIZE.", field="/intent")
    units = given.get("purchase_units") or []
    if len(units) != 1:
        raise missing("/purchase_units")
    amount = units[0].get("amount") or {}
    if len(amount.get("currency_code", "")) != _CURRENCY_LENGTH:
        raise PayPalError(400, "INVALID_STRING_LENGTH", "The value is too short or too long.", field="currency_code")
    try:
        value = Decimal(amount["value"])
    except (KeyError, InvalidOperation, TypeError):
        raise missing("/purchase_units/0/amount/value") from None
    if value <= 0:
        raise refused("CANNOT_BE_ZERO_OR_NEGATIVE", "Must be greater than zero.")
    _require_fields(given, units[0])


def _require_fields(given: Fields, unit: Fields) -> None:
    """Raise PayPalError if a text is too long, or no URL."""
    if any(len(str(unit.get(name, ""))) > _LONGEST for name in ("custom_id", "invoice_id")):
        raise PayPalError(400, "INVALID_STRING_MAX_LENGTH", "The value of a field is too long.")
    context = given.get("payment_source", {}).get("paypal", {}).get("experience_context", {})
    for name in ("return_url", "cancel_url"):
        if name in context and not urlsplit(context[name]).scheme:
            raise PayPalError(400, "INVALID_PARAMETER_SYNTAX", "The value of a field is not a URL.", field=name)
