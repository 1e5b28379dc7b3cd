"""Replay of trading days through the API, and comparison of the results with the files."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from itertools import batched
from pathlib import Path
from typing import Any

import httpx

from cli.api_client import Client, json_of, reason_of, successful
from cli.import_items import BATCH
from cli.progress import Bar, progress
from cli.replay.credits import Customers, TakenBack
from cli.replay.invoices import Article, Credit, Day, Sale, read
from cli.replay.report import report
from cli.replay.tally import Tally


@dataclass(slots=True)
class Stocked:
    """Item of an article, with the units that should be on hand."""

    item_id: str
    on_hand: int


class Replay:
    """Replay of days. Idempotency keys are derived from the files, so that another replay repeats nothing."""

    def __init__(self, api: Client, currency: str, bar: Bar) -> None:
        self._api, self._currency, self._bar = api, currency, bar
        self._items: dict[Article, Stocked] = {}
        self._articles: dict[str, Article] = {}
        self._customer_ids: dict[str, str] = {}
        self._customers = Customers()
        self._order_ids: dict[str, str] = {}
        """Ids of orders by their notes."""
        self._transactions: list[tuple[Day, str]] = []
        self.tally = Tally()

    def run(self, days: Iterable[Day]) -> Tally:
        """Replay the days and return the results."""
        for day in days:
            self._trade(day)
        self._check_stock()
        self._read_ledger()
        return self.tally

    def _trade(self, day: Day) -> None:
        self.tally.count_file(day)
        self._stock_up(day)
        self._add_customers(day)
        started = time.perf_counter()
        for step in self._tracked(day.steps, f"Trading {day.name}"):
            if isinstance(step, Sale):
                self._sell(day, step)
            else:
                self._take_back(day, step)
        self.tally.seconds += time.perf_counter() - started

    def _check_stock(self) -> None:
        for article, stocked in self._tracked(self._items.items(), "Checking stock"):
            left = self._api.get(f"/items/{stocked.item_id}")["stock"]["on_hand"]
            if left != stocked.on_hand:
                self.tally.stock_that_differs.append(article.sku)

    def _stock_up(self, day: Day) -> None:
        """Create missing items, and add the units that the day sells to their stock."""
        name, ids = f"replay-{day.name}", dict[Article, str]()
        batches = list(batched(day.sold, BATCH, strict=False))
        for number, batch in enumerate(self._tracked(batches, "Making items")):
            rows = [self._new_item(day, article) for article in batch]
            answer = self._api.post("/items/batch", {"items": rows}, key=f"{name}/items/{number}")
            for result in json_of(successful(answer))["results"]:
                if result["status"] == 201:
                    ids[batch[result["index"]]] = result["item"]["id"]
        for article, units in self._tracked(day.sold.items(), "Bringing in stock"):
            known = self._items.get(article)
            item_id = ids.get(article) or (known.item_id if known else "")
            item_id = item_id or self._api.get("/items", sku=article.sku)["items"][0]["id"]
            body = {"delta": units, "reason": f"for {name}"}
            counted = successful(self._api.post(f"/items/{item_id}/stock", body, key=f"{name}/stock"))
            if known:
                known.on_hand += units
            else:
                self._items[article] = Stocked(item_id, json_of(counted)["stock"]["on_hand"])
                self._articles[item_id] = article

    def _new_item(self, day: Day, article: Article) -> dict[str, Any]:
        return {"name": day.names[article], "sku": article.sku, "price": self._money(article.price), "stock": 0}

    def _money(self, amount: Decimal) -> dict[str, str]:
        return {"amount": str(amount), "currency": self._currency}

    def _add_customers(self, day: Day) -> None:
        """Create missing customers. Sales without a customer are the caller's own."""
        new = {sale.customer for sale in day.sales} - {""} - self._customer_ids.keys()
        for customer in self._tracked(sorted(new), "Making customers"):
            email = f"customer-{customer}@example.com"
            body = {"email": email, "name": f"Customer {customer}", "role": "customer"}
            made = self._api.post("/users", body, key=f"replay-{day.name}/customer-{customer}")
            taken = made.status_code == httpx.codes.CONFLICT
            found = self._api.get("/users", email=email)["items"][0] if taken else json_of(successful(made))
            self._customer_ids[customer] = found["id"]

    def _sell(self, day: Day, sale: Sale) -> None:
        key = f"replay-{day.name}/{sale.key}"
        placed = self._done("/orders", self._order(sale), key)
        payment = placed and self._done(f"/orders/{placed['id']}/payments", {"provider": "manual"}, key)
        if placed is None or payment is None:
            return
        self._note_transaction(day, payment)
        self.tally.count_order(day, placed, self._articles)
        self._customers.bought(sale)
        self._order_ids[sale.note] = placed["id"]
        if self._done(f"/orders/{placed['id']}/ship", None, key):
            for article, units in sale.units.items():
                self._items[article].on_hand -= units

    def _order(self, sale: Sale) -> dict[str, Any]:
        lines = [
            {
                "item_id": self._items[article].item_id,
                "quantity": units,
                "unit_price": self._money(article.price),
            }
            for article, units in sale.units.items()
        ]
        body: dict[str, Any] = {"lines": lines, "note": sale.note}
        if sale.charges:
            body["charges"] = [
                {"kind": each.kind, "label": each.label, "amount": self._money(each.money)} for each in sale.charges
            ]
        if sale.customer:
            body["customer_id"] = self._customer_ids[sale.customer]
        return body

    def _take_back(self, day: Day, credit: Credit) -> None:
        """Refund what a credit takes back, of orders that have been shipped: units return to the stock."""
        parts, refused = self._customers.match(credit)
        day.refused += refused
        for part in parts:
            self.tally.count_credit(day, part)
            path = f"/orders/{self._order_ids[part.sale.note]}/refunds"
            refund = self._done(path, self._refund(part), f"replay-{day.name}/{part.key}")
            if refund:
                self._note_transaction(day, refund)
                self.tally.count_refund(day, part, refund, self._articles)
                for article, units in part.units.items():
                    self._items[article].on_hand += units

    def _refund(self, part: TakenBack) -> dict[str, Any]:
        body: dict[str, Any] = {"reason": f"credited by {part.invoice}"}
        if part.amount:
            return body | {"amount": self._money(part.amount)}
        if part.shipping:
            body["shipping"] = True
        if part.units:
            body["lines"] = [
                {"item_id": self._items[article].item_id, "quantity": units, "restock": True}
                for article, units in part.units.items()
            ]
        return body

    def _note_transaction(self, day: Day, made: dict[str, Any]) -> None:
        if made["transaction_id"]:
            self._transactions.append((day, made["transaction_id"]))

    def _read_ledger(self) -> None:
        """Add up what was posted for payments and refunds, by day and account."""
        parts: dict[str, str] = {}
        for day, transaction_id in self._tracked(self._transactions, "Reading the books"):
            for entry in self._api.get(f"/ledger/transactions/{transaction_id}")["entries"]:
                account = entry["account_id"]
                if account not in parts:
                    parts[account] = self._api.get(f"/ledger/accounts/{account}")["code"].split(".")[1]
                sign = 1 if entry["direction"] == "credit" else -1
                self.tally.posted[day.date, parts[account]] += sign * Decimal(entry["amount"]["amount"])

    def _done(self, path: str, body: Any, key: str) -> dict[str, Any] | None:
        answer = self._api.post(path, body, key)
        shown: dict[str, Any] = answer.json()
        if answer.is_success:
            return shown
        self.tally.refused[f"{shown['code']}: {reason_of(shown)}"] += 1
        return None

    def _tracked[T](self, things: Iterable[T], description: str) -> Iterable[T]:
        return self._bar.track(list(things), description=description)


def replay(files: Iterable[Path], currency: str, url: str, token: str) -> bool:
    """Replay the days in files in order of time and print a report; return True if all sums agree.

    Raises httpx.HTTPError, ApiError, LookupError if a column is missing.
    """
    days = read(files)
    with Client(url, token) as api, progress() as bar:
        tally = Replay(api, currency, bar).run(days)
    report(days, tally, api.spent, currency)
    return tally.agrees
