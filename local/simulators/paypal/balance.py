"""The balance of an account of the simulated PayPal: what moves it, reports, disputes, and events about all."""

import json
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from random import Random
from typing import NamedTuple

from local.simulators.paypal import objects
from local.simulators.paypal.errors import PayPalError, not_found
from local.simulators.paypal.objects import Fields, shown
from local.simulators.store import Store

_LONGEST = 31 * 86400
"""Seconds of which transactions can be asked for at once (Transaction Search API)."""


class Account(NamedTuple):
    """The account that a request is for, and the address at which the simulator was asked."""

    id: str
    base: str

    @property
    def page(self) -> str:
        """Address of the page of the simulators."""
        return self.base.rpartition("/")[0]


class Balance:
    """Balances of all accounts. `chance` makes ids, and `now` is its clock, in seconds since the epoch."""

    def __init__(self, store: Store, chance: Random, now: Callable[[], float]) -> None:
        self.store, self._chance, self._now = store, chance, now
        self.delay = 0.0
        """Seconds after which reports show a transaction; PayPal takes up to three hours."""

    def _new_id(self) -> str:
        return f"{self._chance.getrandbits(80):017X}"[-17:]

    def _move(self, account: str, movement_id: str, code: str, about: Fields, fee: Decimal, of: str = "") -> None:
        """Note a movement of the balance; `about` has an amount, which is negative for what is paid."""
        info = {
            "transaction_id": movement_id,
            "transaction_event_code": code,
            "transaction_initiation_date": objects.time(self._now()),
            "transaction_updated_date": objects.time(self._now()),
            "transaction_amount": about["amount"],
            "fee_amount": objects.money(-fee, about["amount"]),
            "transaction_status": "S",
        }
        info |= {"custom_field": about["custom_id"]} if "custom_id" in about else {}
        info |= {"paypal_reference_id": of, "paypal_reference_id_type": "TXN"} if of else {}
        self.store.put(account, "movement", {"id": movement_id, "at": self._now(), "transaction_info": info})

    def list_transactions(self, account: Account, given: Fields) -> Fields:
        """Return a page of the transactions between two times, oldest first."""
        start, end = (datetime.fromisoformat(given[name]).timestamp() for name in ("start_date", "end_date"))
        if not 0 <= end - start <= _LONGEST:
            raise PayPalError(400, "INVALID_DATE_RANGE", "The dates are more than 31 days apart.")
        size, number = int(given.get("page_size", 100)), int(given.get("page", 1))
        found = [each for each in self._reported(account.id) if start <= int(each["at"]) <= end]
        pages = max(1, -(-len(found) // size))
        details = [
            {"transaction_info": each["transaction_info"]} for each in found[(number - 1) * size : number * size]
        ]
        return {
            "transaction_details": details,
            "account_number": account.id[:20].upper().replace("_", ""),
            "start_date": given["start_date"],
            "end_date": given["end_date"],
            "last_refreshed_datetime": objects.time(self._now() - self.delay),
            "page": number,
            "total_items": len(found),
            "total_pages": pages,
            "links": objects.links(account.base, ("self", "GET", "/v1/reporting/transactions")),
        }

    def _reported(self, account: str) -> list[Fields]:
        """Return the movements that reports show, oldest first."""
        return [each for each in self.store.all(account, "movement")[::-1] if each["at"] <= self._now() - self.delay]

    def show_balances(self, account: Account, _given: Fields) -> Fields:
        """Return the balance by currency, as of the last report."""
        sums: dict[str, Decimal] = {}
        for each in self._reported(account.id):
            info = each["transaction_info"]
            code = info["transaction_amount"]["currency_code"]
            net = Decimal(info["transaction_amount"]["value"]) + Decimal(info["fee_amount"]["value"])
            sums[code] = sums.get(code, Decimal(0)) + net
        at = objects.time(self._now() - self.delay)
        balances = [objects.balance(total, code) for code, total in sums.items()]
        return {"balances": balances, "account_id": "SHPMERCHANT22", "as_of_time": at, "last_refresh_time": at}

    def list_disputes(self, account: Account, given: Fields) -> Fields:
        """Return the disputes since a time; lists leave out what they are about."""
        since = given.get("start_time", "")
        left_out = {"disputed_transactions", "dispute_outcome"}
        found = [
            {name: value for name, value in shown(each).items() if name not in left_out}
            for each in self.store.all(account.id, "dispute")
            if each["create_time"] >= since
        ]
        return {"items": found, "links": objects.links(account.base, ("self", "GET", "/v1/customer/disputes"))}

    def show_dispute(self, account: Account, _given: Fields, dispute_id: str) -> Fields:
        """Return a dispute."""
        found = self.store.get(account.id, "dispute", dispute_id)
        if found is None:
            raise not_found(dispute_id)
        return found

    def dispute(self, account: str, order_id: str) -> None:
        """Let the customer dispute a payment: its money is held."""
        with self.store.changing():
            order = self.store.get(account, "order", order_id) or {"purchase_units": [{}]}
            captures = order["purchase_units"][0].get("payments", {}).get("captures", [])
            for each in captures:
                dispute_id = f"PP-R-{self._new_id()[:8]}"
                made = objects.dispute(dispute_id, each, self._now())
                self.store.put(account, "dispute", made | {"id": dispute_id, "_capture": each["id"]})
                self._take(account, "T1110", each["amount"], each["id"])
                self._announce(account, "CUSTOMER.DISPUTE.CREATED", "dispute", made)

    def _take(self, account: str, code: str, amount: Fields, of: str) -> None:
        negative = {"amount": objects.money(-Decimal(amount["value"]), amount)}
        self._move(account, self._new_id(), code, negative, Decimal(0), of)

    def decide(self, account: str, dispute_id: str, *, won: bool) -> None:
        """Decide a dispute for the shop, or for the customer."""
        with self.store.changing():
            dispute = self.store.get(account, "dispute", dispute_id)
            if dispute is None or dispute["status"] == "RESOLVED":
                return
            outcome = "RESOLVED_SELLER_FAVOUR" if won else "RESOLVED_BUYER_FAVOUR"
            after = dispute | {"status": "RESOLVED", "dispute_outcome": {"outcome_code": outcome}}
            self.store.put(account, "dispute", after)
            amount = {"amount": dispute["dispute_amount"]}
            self._move(account, self._new_id(), "T1111", amount, Decimal(0), dispute["_capture"])
            if not won:
                self._take(account, "T1201", dispute["dispute_amount"], dispute["_capture"])
            self._announce(account, "CUSTOMER.DISPUTE.RESOLVED", "dispute", shown(after))

    def pay_out(self, account: str) -> None:
        """Transfer the whole balance to the bank."""
        with self.store.changing():
            for each in self.show_balances(Account(account, ""), {})["balances"]:
                if Decimal(each["total_balance"]["value"]) > 0:
                    self._take(account, "T0400", each["total_balance"], "")

    def settle(self, account: str, payout_id: str, *, arrives: bool) -> None:
        """Do nothing: a transfer to the bank arrives at once."""

    def _announce(self, account: str, kind: str, resource_type: str, resource: Fields) -> None:
        """Add an event, and send it to the webhooks that want it."""
        for webhook in self.store.all(account, "webhook"):
            event_id = f"WH-{self._new_id()}-{self._new_id()}"
            event = objects.event(event_id, kind, resource_type, resource, self._now(), webhook["_base"])
            self.store.put(account, "event", event)
            if {"*", kind} & {each["name"] for each in webhook["event_types"]}:
                address = {"provider": "paypal", "webhook": webhook["id"], "base": webhook["_base"]}
                self.store.send(json.dumps(address | {"url": webhook["url"]}), json.dumps(event), self._now())
