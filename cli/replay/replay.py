"""Replay of a trading day through the API, and comparison of the results with the file."""

import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import batched
from pathlib import Path
from typing import Any

import httpx
from rich.table import Table

from cli.api_client import Client, Spent, json_of, reason_of, successful
from cli.console import console, print_refused
from cli.import_items import BATCH
from cli.progress import Bar, progress
from cli.replay.invoices import Article, Day, Sale, read


@dataclass(slots=True)
class Tally:
    """Results from the API: orders, units and money sold and refunded, and refused commands."""

    orders: int = 0
    units: int = 0
    money: Decimal = Decimal()
    charged: dict[str, Decimal] = field(default_factory=dict)
    """Money of charges by kind."""
    units_back: int = 0
    money_back: Decimal = Decimal()
    refused: Counter[str] = field(default_factory=Counter)
    seconds: float = 0
    shelves_that_differ: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Stocked:
    """Item of the day, with its units on hand before the first sale."""

    item_id: str
    on_hand: int


class Replay:
    """Replay of a day. Idempotency keys are derived from the file, so that another replay repeats nothing."""

    def __init__(self, api: Client, day: Day, name: str, currency: str, bar: Bar) -> None:
        self._api, self._day, self._name, self._currency, self._bar = api, day, name, currency, bar
        self._shipped: dict[Article, int] = defaultdict(int)
        self._to_refund: dict[str, list[str]] = defaultdict(list)
        self.tally = Tally()

    def run(self) -> Tally:
        """Replay the day and return the results."""
        items = self._stock_up()
        customers = self._customers()
        started = time.perf_counter()
        for step in self._tracked(self._day.steps, "Trading"):
            if isinstance(step, Sale):
                self._sell(step, items, customers)
            else:
                self._refund(step)
        self.tally.seconds = time.perf_counter() - started
        for article, stocked in self._tracked(items.items(), "Checking stock"):
            left = self._api.get(f"/items/{stocked.item_id}")["stock"]["on_hand"]
            if left != stocked.on_hand - self._shipped[article]:
                self.tally.shelves_that_differ.append(article.sku)
        return self.tally

    def _stock_up(self) -> dict[Article, Stocked]:
        """Create missing items, and add the units that the day sells to their stock."""
        demand = self._day.demand
        ids: dict[Article, str] = {}
        batches = list(batched(demand, BATCH, strict=False))
        for number, batch in enumerate(self._tracked(batches, "Making items")):
            rows = [self._new_item(article) for article in batch]
            answer = self._api.post("/items/batch", {"items": rows}, key=f"{self._name}/items/{number}")
            for result in json_of(successful(answer))["results"]:
                if result["status"] == 201:
                    ids[batch[result["index"]]] = result["item"]["id"]
        stocked: dict[Article, Stocked] = {}
        for article, units in self._tracked(demand.items(), "Bringing in stock"):
            item_id = ids.get(article) or self._api.get("/items", sku=article.sku)["items"][0]["id"]
            body = {"delta": units, "reason": f"for {self._name}"}
            counted = successful(self._api.post(f"/items/{item_id}/stock", body, key=f"{self._name}/stock"))
            stocked[article] = Stocked(item_id, json_of(counted)["stock"]["on_hand"])
        return stocked

    def _new_item(self, article: Article) -> dict[str, Any]:
        price = self._money(article.price)
        return {"name": self._day.names[article], "sku": article.sku, "price": price, "stock": 0}

    def _money(self, amount: Decimal) -> dict[str, str]:
        return {"amount": str(amount), "currency": self._currency}

    def _customers(self) -> dict[str, str]:
        """Create missing customers and return all ids. Sales without a customer are the caller's own."""
        ids = {}
        for customer in self._tracked({sale.customer for sale in self._day.sales} - {""}, "Making customers"):
            email = f"customer-{customer}@example.com"
            body = {"email": email, "name": f"Customer {customer}", "role": "customer"}
            made = self._api.post("/users", body, key=f"{self._name}/customer-{customer}")
            taken = made.status_code == httpx.codes.CONFLICT
            found = self._api.get("/users", email=email)["items"][0] if taken else json_of(successful(made))
            ids[customer] = found["id"]
        return ids

    def _sell(self, sale: Sale, items: dict[Article, Stocked], customers: dict[str, str]) -> None:
        key = f"{self._name}/{sale.key}"
        lines = [
            {
                "item_id": items[article].item_id,
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
            body["customer_id"] = customers[sale.customer]
        placed = self._done("/orders", body, key)
        if placed is None or self._done(f"/orders/{placed['id']}/payments", {"provider": "manual"}, key) is None:
            return
        self.tally.orders += 1
        self.tally.units += sum(line["quantity"] for line in placed["lines"])
        self.tally.money += Decimal(placed["subtotal"]["amount"])
        for charge in placed["charges"]:
            so_far = self.tally.charged.get(charge["kind"], Decimal())
            self.tally.charged[charge["kind"]] = so_far + Decimal(charge["amount"]["amount"])
        if sale.cancelled_by:
            self._to_refund[sale.cancelled_by].append(placed["id"])
        elif self._done(f"/orders/{placed['id']}/ship", None, key):
            for article, units in sale.units.items():
                self._shipped[article] += units

    def _refund(self, invoice: str) -> None:
        for order_id in self._to_refund[invoice]:
            body = {"reason": f"cancelled by {invoice}"}
            refunded = self._done(f"/orders/{order_id}/refund", body, f"{self._name}/{invoice}")
            if refunded:
                self.tally.units_back += sum(line["quantity"] for line in refunded["lines"])
                self.tally.money_back += Decimal(refunded["total"]["amount"])

    def _done(self, path: str, body: Any, key: str) -> dict[str, Any] | None:
        answer = self._api.post(path, body, key)
        shown: dict[str, Any] = answer.json()
        if answer.is_success:
            return shown
        self.tally.refused[f"{shown['code']}: {reason_of(shown)}"] += 1
        return None

    def _tracked[T](self, things: Iterable[T], description: str) -> Iterable[T]:
        return self._bar.track(list(things), description=description)


def replay(file: Path, currency: str, url: str, token: str) -> bool:
    """Replay the day in a file and print a report; return True if all sums agree.

    Raises httpx.HTTPError, ApiError, LookupError if a column is missing.
    """
    day = read(file)
    with Client(url, token) as api, progress() as bar:
        tally = Replay(api, day, f"replay-{file.stem}", currency, bar).run()
    return _report(day, tally, api.spent, currency)


def _report(day: Day, tally: Tally, spent: Spent, currency: str) -> bool:
    sums = [
        ("units sold", day.sold[0], tally.units),
        (f"money taken for articles, {currency}", day.sold[1], tally.money),
        *(
            (f"{kind} charged, {currency}", day.charged.get(kind, Decimal()), tally.charged.get(kind, Decimal()))
            for kind in sorted(day.charged.keys() | tally.charged.keys())
        ),
        ("units given back", day.returned[0], tally.units_back),
        (f"money given back, {currency}", day.returned[1], tally.money_back),
    ]
    table = Table("", "file", "API", "", title="The day", caption_justify="left")
    for name, wanted, got in sums:
        table.add_row(name, f"{wanted:,}", f"{got:,}", "agrees" if wanted == got else "[bold red]differs")
    console.print(table)
    facts = Table("", "count", title="How it went")
    invoices = {sale.invoice for sale in day.sales}
    for name, shown in (
        ("lines", f"{day.lines:,}"),
        ("invoices", f"{len(invoices):,}"),
        ("orders (one an invoice; more if a part was cancelled, or of over 90 items)", f"{tally.orders:,}"),
        ("lines refused", f"{len(day.refused):,}"),
        ("commands refused", f"{tally.refused.total():,}"),
        ("shelves that differ", f"{len(tally.shelves_that_differ):,}"),
        ("orders a second, placed, paid and shipped", f"{tally.orders / max(tally.seconds, 1e-9):,.0f}"),
        ("calls to the API", f"{spent.calls:,}"),
        ("requests to the table", f"{spent.db_requests:,}"),
        ("read units", f"{spent.reads:,.1f}"),
        ("write units", f"{spent.writes:,.0f}"),
    ):
        facts.add_row(name, shown)
    console.print(facts)
    print_refused(day.refused)
    for why, count in tally.refused.most_common():
        console.print(f"{count} refused: {why}", highlight=False, markup=False)
    for sku in tally.shelves_that_differ:
        console.print(f"stock differs: {sku}", highlight=False, markup=False)
    agree = all(wanted == got for _, wanted, got in sums)
    return agree and not tally.refused and not tally.shelves_that_differ
