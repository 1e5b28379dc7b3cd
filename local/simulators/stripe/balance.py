"""The balance of an account of the simulated Stripe: what moves it, disputes, payouts, and events about all.

A payment with `pm_card_createDispute` is disputed when its money is taken (Stripe documentation, "Testing").
"""

import json
from collections.abc import Callable
from random import Random
from typing import Any

from local.simulators.store import Store
from local.simulators.stripe import objects
from local.simulators.stripe.forms import Fields, StripeError, text_in

_DISPUTE_FEE = 2000
_SOURCES = ("charge", "refund", "dispute", "payout")


class Balance:
    """Balances of all accounts. `chance` makes ids, and `now` is its clock, in seconds since the epoch."""

    def __init__(self, store: Store, chance: Random, now: Callable[[], float]) -> None:
        self.store, self._chance, self._now = store, chance, now

    def _new_id(self, prefix: str) -> str:
        return f"{prefix}_{self._token()}"

    def _token(self) -> str:
        return f"{self._chance.getrandbits(96):024x}"

    def _move(
        self, account: str, kind: str, amount: int, fee: int, source: str, currency: str, category: str = ""
    ) -> Fields:
        at = int(self._now())
        moved = objects.balance_transaction(self._new_id("txn"), kind, amount, fee, source, currency, at)
        return self.store.put(account, "balance_transaction", moved | {"reporting_category": category or kind})

    def show_account(self, account: str, _fields: Fields) -> Any:
        """Return the account."""
        return objects.account(account)

    def show_balance(self, account: str, _fields: Fields) -> Any:
        """Return the balance by currency."""
        pending = [
            {"amount": net, "currency": currency, "source_types": {"card": net}}
            for currency, net in self._sums(account).items()
        ]
        return {"object": "balance", "available": [], "livemode": False, "pending": pending}

    def _sums(self, account: str) -> dict[str, int]:
        sums: dict[str, int] = {}
        for each in self.store.all(account, "balance_transaction"):
            sums[each["currency"]] = sums.get(each["currency"], 0) + each["net"]
        return sums

    def list_movements(self, account: str, fields: Fields) -> Any:
        """Return a page of the movements of the balance, newest first."""
        found = self._page(account, "balance_transaction", "/v1/balance_transactions", fields)
        if "data.source" in fields.get("expand", []):
            found["data"] = [each | {"source": self._source(account, each["source"])} for each in found["data"]]
        return found

    def _source(self, account: str, source: str) -> Any:
        found = (self.store.get(account, kind, source) for kind in _SOURCES)
        return next((each for each in found if each), source)

    def list_disputes(self, account: str, fields: Fields) -> Any:
        """Return a page of disputes, newest first."""
        found = self._page(account, "dispute", "/v1/disputes", fields)
        if "data.charge" in fields.get("expand", []):
            found["data"] = [each | {"charge": self._source(account, each["charge"])} for each in found["data"]]
        return found

    def list_payouts(self, account: str, fields: Fields) -> Any:
        """Return a page of payouts, newest first."""
        return self._page(account, "payout", "/v1/payouts", fields)

    def list_events(self, account: str, fields: Fields) -> Any:
        """Return a page of events, newest first."""
        return self._page(account, "event", "/v1/events", fields)

    def _page(self, account: str, kind: str, url: str, fields: Fields) -> Fields:
        """Return a page of objects that were created in a time, after one of them (Stripe API, "Pagination")."""
        created = fields.get("created", {})
        first, last = int(created.get("gte", 0)), int(created.get("lt", 2**62))
        found = [each for each in self.store.all(account, kind) if first <= each["created"] < last]
        after = fields.get("starting_after")
        if after:
            ids = [each["id"] for each in found]
            if after not in ids:
                raise StripeError(400, f"No such object: '{after}'", code="resource_missing", param="starting_after")
            found = found[ids.index(after) + 1 :]
        return objects.list_of(url, found, int(fields.get("limit", 10)))

    def add_endpoint(self, account: str, fields: Fields) -> Any:
        """Add an endpoint for webhooks."""
        url, at = text_in(fields, "url"), int(self._now())
        endpoint = objects.webhook_endpoint(self._new_id("we"), self._token(), url, at, fields)
        return self.store.put(account, "webhook_endpoint", endpoint)

    def _tell(self, account: str, kind: str, about: Fields) -> None:
        """Add an event, and send it to the endpoints that want it."""
        event = objects.event(self._new_id("evt"), kind, about, int(self._now()))
        self.store.put(account, "event", event)
        for endpoint in self.store.all(account, "webhook_endpoint"):
            if {"*", kind} & set(endpoint["enabled_events"]):
                address = {"provider": "stripe", "url": endpoint["url"], "secret": endpoint["secret"]}
                self.store.send(json.dumps(address), json.dumps(event), self._now())

    def _dispute(self, account: str, charge: Fields) -> Fields:
        """Withhold the money of a charge, with a fee."""
        dispute_id = self._new_id("du")
        moved = self._move(
            account, "adjustment", -charge["amount"], _DISPUTE_FEE, dispute_id, charge["currency"], "dispute"
        )
        made = self.store.put(account, "dispute", objects.dispute(dispute_id, charge, moved, int(self._now())))
        self.store.put(account, "charge", charge | {"disputed": True})
        self._tell(account, "charge.dispute.created", made)
        return made

    def dispute(self, account: str, intent_id: str) -> None:
        """Let the customer dispute a payment that was captured."""
        with self.store.changing():
            intent = self.store.get(account, "payment_intent", intent_id) or {}
            charge = self.store.get(account, "charge", intent.get("latest_charge") or "")
            if charge and charge["captured"] and not charge["disputed"]:
                self._dispute(account, charge)

    def decide(self, account: str, dispute_id: str, *, won: bool) -> None:
        """Decide a dispute for the shop, or for the customer."""
        with self.store.changing():
            dispute = self.store.get(account, "dispute", dispute_id)
            if dispute is None or dispute["status"] in {"won", "lost"}:
                return
            moved = dispute["balance_transactions"]
            if won:
                reverse = (dispute["amount"], -_DISPUTE_FEE, dispute_id, dispute["currency"], "dispute_reversal")
                moved = [*moved, self._move(account, "adjustment", *reverse)]
            status = "won" if won else "lost"
            after = self.store.put(account, "dispute", dispute | {"status": status, "balance_transactions": moved})
            self._tell(account, "charge.dispute.closed", after)

    def pay_out(self, account: str) -> None:
        """Pay out the whole balance, in each currency."""
        with self.store.changing():
            for currency, net in self._sums(account).items():
                if net > 0:
                    payout_id = self._new_id("po")
                    moved = self._move(account, "payout", -net, 0, payout_id, currency)
                    made = objects.payout(payout_id, net, currency, moved, int(self._now()))
                    self._tell(account, "payout.created", self.store.put(account, "payout", made))

    def settle(self, account: str, payout_id: str, *, arrives: bool) -> None:
        """Let a payout arrive at the bank, or come back."""
        with self.store.changing():
            payout = self.store.get(account, "payout", payout_id)
            if payout is None or payout["status"] != "in_transit":
                return
            after = payout | {"status": "paid" if arrives else "failed"}
            if not arrives:
                moved = self._move(account, "payout_failure", payout["amount"], 0, payout_id, payout["currency"])
                after |= {"failure_code": "account_closed", "failure_balance_transaction": moved["id"]}
            kind = "payout.paid" if arrives else "payout.failed"
            self._tell(account, kind, self.store.put(account, "payout", after))
