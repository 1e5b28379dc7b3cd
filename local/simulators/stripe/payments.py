"""Payments of the simulated Stripe: intents, charges and refunds.

Payment methods are those of Stripe's documentation ("Testing"): `pm_card_visa`, `pm_card_chargeDeclined`,
`pm_card_authenticationRequired`.
"""

import re
from collections.abc import Callable
from random import Random
from typing import Any

from local.simulators.store import Store
from local.simulators.stripe import objects
from local.simulators.stripe.balance import Balance
from local.simulators.stripe.forms import Fields, StripeError, amount_in, choice_in, text_in

LAPSES_AFTER = 7 * 86400
"""Seconds after which an authorization lapses (Stripe documentation, "Place a hold on a payment method")."""
_FEE_RATE, _FEE_FIXED = 0.015, 25
_OPEN = ("requires_payment_method", "requires_confirmation", "requires_action", "requires_capture")
DECLINED = {
    "pm_card_chargeDeclined": "generic_decline",
    "pm_card_chargeDeclinedInsufficientFunds": "insufficient_funds",
}
CHALLENGED = {"pm_card_authenticationRequired"}
DISPUTED = "pm_card_createDispute"
ACCEPTED = {"pm_card_visa", "pm_card_mastercard", DISPUTED}


class Payments(Balance):
    """Payments of all accounts. `chance` makes ids, and `now` is its clock, in seconds since the epoch."""

    def __init__(self, store: Store, chance: Random, now: Callable[[], float]) -> None:
        super().__init__(store, chance, now)
        self.refund_status = "succeeded"
        """Status of new refunds; one that fails moves no money."""

    def create(self, account: str, fields: Fields) -> Any:
        """Create a payment intent."""
        amount, currency = amount_in(fields), text_in(fields, "currency")
        choice_in(fields, "capture_method", ("automatic", "automatic_async", "manual"), "automatic_async")
        intent = objects.payment_intent(self._new_id("pi"), self._token(), amount, currency, int(self._now()), fields)
        if fields.get("payment_method"):
            _require_method(fields["payment_method"])
            intent |= {"payment_method": fields["payment_method"], "status": "requires_confirmation"}
        self.store.put(account, "payment_intent", intent)
        self._tell(account, "payment_intent.created", intent)
        return self.confirm_intent(account, {}, intent["id"]) if fields.get("confirm") == "true" else intent

    def retrieve(self, account: str, fields: Fields, intent_id: str) -> Any:
        """Return a payment intent."""
        return self._expanded(account, self._intent(account, intent_id), fields)

    def _expanded(self, account: str, intent: Fields, fields: Fields) -> Fields:
        if "latest_charge" in fields.get("expand", []) and intent["latest_charge"]:
            return intent | {"latest_charge": self.store.get(account, "charge", intent["latest_charge"])}
        return intent

    def search(self, account: str, fields: Fields) -> Any:
        """Return the payment intents with a value in their metadata."""
        match = re.fullmatch(r"metadata\['(\w+)'\]:'([^']*)'", text_in(fields, "query"))
        if match is None:
            raise StripeError(400, "The query cannot be parsed.", param="query")
        found = [
            each for each in self.store.all(account, "payment_intent") if each["metadata"].get(match[1]) == match[2]
        ]
        return {"object": "search_result", "url": "/v1/payment_intents/search", "has_more": False, "data": found} | {
            "next_page": None
        }

    def list_intents(self, account: str, fields: Fields) -> Any:
        """Return the last payment intents."""
        return self._page(account, "payment_intent", "/v1/payment_intents", fields)

    def confirm_intent(self, account: str, fields: Fields, intent_id: str) -> Any:
        """Confirm a payment intent with a payment method."""
        intent = self._intent(account, intent_id)
        if intent["status"] not in _OPEN[:3]:
            raise _unexpected(intent, "confirm")
        method = fields.get("payment_method") or intent["payment_method"]
        _require_method(method)
        if method in DECLINED:
            raise self._decline(account, intent, DECLINED[method])
        if method in CHALLENGED:
            url = f"/_simulators/stripe/{account}/{intent_id}"
            action = {
                "type": "redirect_to_url",
                "redirect_to_url": {"return_url": fields.get("return_url"), "url": url},
            }
            intent |= {"status": "requires_action", "payment_method": method, "next_action": action}
            self.store.put(account, "payment_intent", intent)
            self._tell(account, "payment_intent.requires_action", intent)
            return intent
        return self._authorize(account, intent, method)

    def _decline(self, account: str, intent: Fields, decline: str) -> StripeError:
        """Note that a card was declined, and return the error."""
        error = {
            "type": "card_error",
            "code": "card_declined",
            "decline_code": decline,
            "message": "Your card was declined.",
        }
        intent |= {"status": "requires_payment_method", "payment_method": None, "next_action": None}
        intent["last_payment_error"] = error
        self.store.put(account, "payment_intent", intent)
        self._tell(account, "payment_intent.payment_failed", intent)
        fields = {name: value for name, value in error.items() if name not in {"type", "message"}}
        return StripeError(402, error["message"], "card_error", payment_intent=intent, **fields)

    def _authorize(self, account: str, intent: Fields, method: str) -> Fields:
        charge = objects.charge(self._new_id("ch"), intent, method, int(self._now()))
        self.store.put(account, "charge", charge)
        intent |= {"payment_method": method, "latest_charge": charge["id"], "next_action": None}
        intent |= {"status": "requires_capture", "amount_capturable": intent["amount"], "last_payment_error": None}
        if intent["capture_method"] != "manual":
            return self._take(account, intent)
        self.store.put(account, "payment_intent", intent)
        self._tell(account, "payment_intent.amount_capturable_updated", intent)
        return intent

    def capture(self, account: str, fields: Fields, intent_id: str) -> Any:
        """Capture what was authorised."""
        intent = self._intent(account, intent_id)
        if intent["status"] != "requires_capture":
            raise _unexpected(intent, "capture")
        charge = self.store.get(account, "charge", intent["latest_charge"]) or {}
        if charge["failure_code"]:
            raise StripeError(402, "The card's bank refused the capture.", "card_error", code=charge["failure_code"])
        return self._expanded(account, self._take(account, intent), fields)

    def _take(self, account: str, intent: Fields) -> Fields:
        """Move the money of an intent."""
        charge = self.store.get(account, "charge", intent["latest_charge"]) or {}
        fee = round(intent["amount"] * _FEE_RATE) + _FEE_FIXED
        moved = self._move(account, "charge", intent["amount"], fee, charge["id"], intent["currency"])
        charge |= {"captured": True, "amount_captured": intent["amount"], "balance_transaction": moved["id"]}
        self.store.put(account, "charge", charge)
        intent |= {"status": "succeeded", "amount_capturable": 0, "amount_received": intent["amount"]}
        self.store.put(account, "payment_intent", intent)
        self._tell(account, "charge.captured", charge)
        self._tell(account, "payment_intent.succeeded", intent)
        if charge["payment_method"] == DISPUTED:
            self._dispute(account, charge)
        return intent

    def cancel(self, account: str, fields: Fields, intent_id: str) -> Any:
        """Cancel a payment intent."""
        intent = self._intent(account, intent_id)
        if intent["status"] not in _OPEN:
            raise _unexpected(intent, "cancel")
        return self._end(account, intent, fields.get("cancellation_reason"))

    def _end(self, account: str, intent: Fields, reason: str | None) -> Fields:
        intent |= {"status": "canceled", "canceled_at": int(self._now()), "cancellation_reason": reason}
        intent |= {"amount_capturable": 0, "next_action": None}
        self.store.put(account, "payment_intent", intent)
        self._tell(account, "payment_intent.canceled", intent)
        return intent

    def _intent(self, account: str, intent_id: str) -> Fields:
        """Return an intent; an authorization that is too old has lapsed."""
        intent = self.store.get(account, "payment_intent", intent_id)
        if intent is None:
            message = f"No such payment_intent: '{intent_id}'"
            raise StripeError(404, message, code="resource_missing", param="intent")
        charge = self.store.get(account, "charge", intent["latest_charge"] or "")
        if intent["status"] == "requires_capture" and charge and charge["created"] + LAPSES_AFTER <= self._now():
            return self._end(account, intent, "automatic")
        return intent

    def refund(self, account: str, fields: Fields) -> Any:
        """Refund a payment intent, or a part of it."""
        intent = self._intent(account, text_in(fields, "payment_intent"))
        charge = self.store.get(account, "charge", intent["latest_charge"] or "")
        if charge is None or not charge["captured"]:
            raise StripeError(400, "This PaymentIntent does not have a successful charge to refund.")
        left = charge["amount_captured"] - charge["amount_refunded"]
        if left == 0:
            message = f"Charge {charge['id']} has already been refunded."
            raise StripeError(400, message, code="charge_already_refunded")
        amount = amount_in(fields) if "amount" in fields else left
        if amount > left:
            raise StripeError(400, f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})")
        refund_id = self._new_id("re")
        moved = self._move(account, "refund", -amount, 0, refund_id, charge["currency"])
        charge["amount_refunded"] += amount
        charge["refunded"] = charge["amount_refunded"] == charge["amount_captured"]
        self.store.put(account, "charge", charge)
        if self.refund_status == "failed":
            charge["amount_refunded"] -= amount
            self.store.put(account, "charge", charge | {"refunded": False})
            moved = self._move(account, "refund_failure", amount, 0, refund_id, charge["currency"])
        refund = objects.refund(refund_id, amount, moved, charge, int(self._now()), fields, self.refund_status)
        self.store.put(account, "refund", refund)
        self._tell(account, "charge.refunded", charge)
        return refund

    def list_refunds(self, account: str, fields: Fields) -> Any:
        """Return the last refunds, or those of a payment intent."""
        wanted = fields.get("payment_intent")
        found = [each for each in self.store.all(account, "refund") if wanted in {None, each["payment_intent"]}]
        return objects.list_of("/v1/refunds", found, int(fields.get("limit", 10)))

    def retrieve_refund(self, account: str, _fields: Fields, refund_id: str) -> Any:
        """Return a refund."""
        found = self.store.get(account, "refund", refund_id)
        if found is None:
            raise StripeError(404, f"No such refund: '{refund_id}'", code="resource_missing", param="id")
        return found

    def lapse(self, account: str, intent_id: str) -> None:
        """Let an authorization lapse."""
        with self.store.changing():
            self._end(account, self._intent(account, intent_id), "automatic")

    def refuse_capture(self, account: str, intent_id: str) -> None:
        """Let the bank refuse an authorization when it is captured."""
        with self.store.changing():
            intent = self._intent(account, intent_id)
            charge = self.store.get(account, "charge", intent["latest_charge"] or "") or {}
            self.store.put(account, "charge", charge | {"failure_code": "expired_or_canceled_card"})

    def make_automatic(self, account: str, intent_id: str) -> None:
        """Let a payment intent take the money when it is confirmed, as methods without manual capture do."""
        with self.store.changing():
            self.store.put(
                account, "payment_intent", self._intent(account, intent_id) | {"capture_method": "automatic"}
            )

    def confirm(self, account: str, intent_id: str, *, accept: bool) -> None:
        """Do what a customer does on the page of their bank: confirm, or decline."""
        with self.store.changing():
            intent = self._intent(account, intent_id)
            if intent["status"] in _OPEN[:3]:
                if accept:
                    self._authorize(account, intent, intent["payment_method"] or "pm_card_visa")
                else:
                    self._decline(account, intent, "generic_decline")


def _require_method(method: Any) -> None:
    """Raise StripeError for a payment method that is not one of the documentation's."""
    if method not in {*DECLINED, *CHALLENGED, *ACCEPTED}:
        raise StripeError(400, f"No such PaymentMethod: '{method}'", code="resource_missing", param="payment_method")


def _unexpected(intent: Fields, what: str) -> StripeError:
    message = f"You cannot {what} this PaymentIntent because it has a status of {intent['status']}."
    return StripeError(400, message, code="payment_intent_unexpected_state", payment_intent=intent)
