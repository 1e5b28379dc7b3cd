"""Auditing a tenant: its books, and its orders against books and stock. It only reads, and no faster than it may.

Books are checked up to an instant that is settled; whatever is posted meanwhile is for the next audit. Where it has got
to is kept in a file, so that an audit that was stopped goes on from there.
"""

import json
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rich.progress import Progress

from domain.ledger import SETTLED_AFTER, Account, Direction, signed
from domain.model import now, to_rfc3339
from domain.orders import Order, OrderStatus, total_of
from repositories import keys
from repositories.chains import Chains
from repositories.item_rows import COLLECTIONS as ITEMS
from repositories.keys import Key
from repositories.ledger_rows import TRANSACTIONS, places_of
from repositories.order_rows import COLLECTION as ORDERS
from repositories.order_rows import StoredOrder
from repositories.rows import Row
from repositories.table import Table

PAGE = 100
_HOLDING = {OrderStatus.PENDING, OrderStatus.PAID}
_PAID = {OrderStatus.PAID, OrderStatus.SHIPPED, OrderStatus.DELIVERED, OrderStatus.REFUNDED}
_PHASES = ("chains", "transactions", "orders", "stock", "orders again", "stock again")
"""The last two only where stock differed: orders may have moved between."""


class BrokenError(Exception):
    """Something that must hold does not."""


@dataclass(slots=True)
class State:
    """How far the audit has come, and what it has added up so far."""

    until: str
    phase: str = _PHASES[0]
    place: list[Any] = field(default_factory=list)
    """Chains: code, stripe, number, balance, time. Other phases: the list's partition and position."""
    sums: dict[str, int] = field(default_factory=dict)
    """By currency: debits less credits."""
    chained: int = 0
    listed: int = 0
    reserved: dict[str, int] = field(default_factory=dict)
    """Units that orders hold, by item and bucket."""
    differing: dict[str, str] = field(default_factory=dict)
    """Of which item and bucket something else is reserved, and what."""
    checked: dict[str, int] = field(default_factory=dict)


class Audit:
    """An audit of one tenant."""

    def __init__(self, table: Table, tenant: str, file: Path, rate: float, bar: Progress) -> None:
        self._table, self._tenant, self._file, self._rate = table, tenant, file, rate
        self._started = time.monotonic()
        self._bar = bar
        self.state = State(**json.loads(file.read_text())) if file.exists() else State(_settled())

    def run(self) -> dict[str, int]:
        """Return how much of what was checked. Raises BrokenError at the first thing that does not hold."""
        steps = {
            "chains": self._check_chains,
            "transactions": self._check_transactions,
            "orders": self._check_orders,
            "stock": self._check_stock,
            "orders again": self._check_orders,
            "stock again": self._check_stock_again,
        }
        for phase in _PHASES[_PHASES.index(self.state.phase) :]:
            self._enter(phase)
            if phase.endswith("again") and not self.state.differing:
                continue
            task = self._bar.add_task(f"Checking {phase}", total=None)
            for _ in steps[phase]():
                self.state.checked[phase] = self.state.checked.get(phase, 0) + 1
                self._bar.advance(task)
            done = max(self.state.checked.get(phase, 0), 1)
            self._bar.update(task, total=done, completed=done)
        self._file.unlink(missing_ok=True)
        return self.state.checked

    def _enter(self, phase: str) -> None:
        if self.state.phase != phase:
            self.state.phase, self.state.place = phase, []
            if phase == "orders again":
                self.state.reserved = {}
            self._save()

    def _save(self) -> None:
        """Keep the place, and wait until reading so much was allowed."""
        self._file.write_text(json.dumps(asdict(self.state)))
        ahead = self._table.meter.read_units / self._rate - (time.monotonic() - self._started)
        if ahead > 0:
            time.sleep(ahead)

    def _check_chains(self) -> Iterator[None]:
        """Numbers without gaps, rising times, and each balance the one before it with its entry."""
        chains = Chains(self._table, self._tenant)
        for row in self._table.whole_partition(keys.account_code(self._tenant, "").pk):
            code = row["sk"]
            if self.state.place and code < self.state.place[0]:
                continue
            first = chains.first(row["account_id"])
            if not first:
                raise BrokenError(f"Account {code} is registered and not there.")
            for stripe in range(first.account.stripes):
                if not (self.state.place and [code, stripe] < self.state.place[:2]):
                    yield from self._check_chain(first.account, stripe)
        for currency, total in self.state.sums.items():
            if total:
                raise BrokenError(f"Debits and credits in {currency} differ by {total} minor units.")

    def _check_chain(self, account: Account, stripe: int) -> Iterator[None]:
        here = [account.code, stripe]
        number, balance, at = self.state.place[2:] if self.state.place[:2] == here else (0, 0, "")
        while rows := self._entries(account, stripe, number):
            for row in rows:
                grows = row["direction"] == account.normal
                balance += row["amount"] if grows else -row["amount"]
                name = f"Account {account.code}, stripe {stripe}, entry {number + 1}"
                if row["sequence"] != number + 1:
                    raise BrokenError(f"{name} is missing.")
                if row["balance"] != balance:
                    raise BrokenError(f"{name}: the balance is {row['balance']}, and should be {balance}.")
                if row["posted_at"] < at:
                    raise BrokenError(f"{name} is older than the one before it.")
                if account.floor_minor is not None and balance < account.floor_minor and not grows:
                    raise BrokenError(f"{name} crosses the floor.")
                number, at = row["sequence"], row["posted_at"]
                self._add_up(row)
                yield
            self.state.place = [*here, number, balance, at]
            self._save()

    def _add_up(self, row: Row) -> None:
        amount = signed(Direction(row["direction"]), row["amount"])
        self.state.sums[row["currency"]] = self.state.sums.get(row["currency"], 0) + amount
        self.state.chained += 1

    def _entries(self, account: Account, stripe: int, after: int) -> list[Row]:
        first, last = (keys.entry(self._tenant, account.id, stripe, n) for n in (after + 1, 10**12 - 1))
        values = {":pk": first.pk, ":first": first.sk, ":last": last.sk}
        condition = "pk = :pk AND sk BETWEEN :first AND :last"
        rows = self._table.query(condition, values, limit=PAGE, consistent=True).rows
        return [row for row in rows if row["type"] == "entry" and row["posted_at"] <= self.state.until]

    def _check_transactions(self) -> Iterator[None]:
        """Each balances, and its entries stand in their chains as it says; no chain has others."""
        for found in self._listed(TRANSACTIONS):
            rows = self._table.batch_get(Key(each["pk"], each["sk"]) for each in found)
            for row in rows.values():
                if row["head"]["posted_at"] <= self.state.until:
                    self._check_transaction(row)
                    yield
        if self.state.listed != self.state.chained:
            raise BrokenError(f"Chains have {self.state.chained} entries, transactions {self.state.listed}.")

    def _check_transaction(self, row: Row) -> None:
        name, places = f"Transaction {row['head']['id']}", places_of(row)
        sums: dict[str, int] = defaultdict(int)
        wanted = {keys.entry(self._tenant, place[0], place[4], place[5]): place for place in places}
        entries = self._table.batch_get(wanted)
        for key, (account_id, direction, amount, currency, _, number) in wanted.items():
            sums[currency] += signed(Direction(direction), amount)
            found = entries.get(key, {})
            entry = [found.get(each) for each in ("transaction_id", "direction", "amount", "currency", "posted_at")]
            if entry != [row["head"]["id"], direction, amount, currency, row["head"]["posted_at"]]:
                raise BrokenError(f"{name}: entry {number} of {account_id} is missing, or another's.")
        if any(sums.values()):
            raise BrokenError(f"{name} does not balance.")
        self.state.listed += len(places)

    def _check_orders(self) -> Iterator[None]:
        """Totals are sums of lines, and there is a payment, posted, where there should be one."""
        for rows in self._listed(ORDERS):
            for row in rows:
                self._check_order(row["head"]["id"])
                yield

    def _check_order(self, order_id: str) -> None:
        stored, payment, posting = self._order(order_id)
        order = stored.order
        if order.total != total_of(order.lines):
            raise BrokenError(f"Order {order.id}: its total is not the sum of its lines.")
        if (payment is not None) != (order.status in _PAID):
            raise BrokenError(f"Order {order.id} is {order.status}, {'with' if payment else 'without'} a payment.")
        if payment is not None:
            self._check_payment(order, payment, posting)
        if order.status in _HOLDING:
            for hold in stored.holds:
                where = f"{hold.item_id} {hold.bucket}"
                self.state.reserved[where] = self.state.reserved.get(where, 0) + hold.units

    def _order(self, order_id: str) -> tuple[StoredOrder, Row | None, Row | None]:
        """Return an order, its payment and what posted that, all as of one moment."""
        order, payment = keys.order(self._tenant, order_id), keys.payment(self._tenant, order_id, 1)
        paid_by = (self._table.get(payment) or {}).get("transaction_id")
        posting = [keys.transaction(self._tenant, paid_by)] if paid_by else []
        while (rows := self._table.snapshot([order, payment, *posting])) is None:
            time.sleep(0.1)
        by_key = {Key(row["pk"], row["sk"]): row for row in rows}
        if order not in by_key:
            raise BrokenError(f"Order {order_id} is listed and not there.")
        if payment in by_key and by_key[payment]["transaction_id"] != paid_by:
            return self._order(order_id)
        return StoredOrder.of(by_key[order]), by_key.get(payment), by_key.get(posting[0]) if posting else None

    def _check_payment(self, order: Order, payment: Row, row: Row | None) -> None:
        if payment["amount"] != order.total.minor or payment["currency"] != order.total.currency:
            raise BrokenError(f"Order {order.id}: the payment is not its total.")
        if payment["transaction_id"] is None:
            if order.total.minor:
                raise BrokenError(f"Order {order.id}: the payment is not posted.")
            return
        posted = sum(place[2] for place in places_of(row) if place[1] == Direction.DEBIT) if row else None
        if row is None or posted != order.total.minor or row["head"].get("order_id") != order.id:
            raise BrokenError(f"Order {order.id}: the books do not have its payment.")
        if ("reversed_by" in row["head"]) != (order.status is OrderStatus.REFUNDED):
            raise BrokenError(f"Order {order.id} is {order.status}: its posting says otherwise.")

    def _check_stock(self) -> Iterator[None]:
        """Units add up in every bucket, and those reserved are those that orders hold."""
        for collection in ITEMS.values():
            for rows in self._listed(collection):
                for row in rows:
                    self.state.differing |= self._differences(row["head"]["id"])
                    yield

    def _differences(self, item_id: str) -> dict[str, str]:
        _, *stock = self._table.partition(keys.item(self._tenant, item_id).pk)
        found = {}
        for bucket, row in enumerate(stock):
            if "on_hand" not in row:
                continue
            on_hand, reserved, available = (row[name] for name in ("on_hand", "reserved", "available"))
            where = f"{item_id} {bucket}"
            if available != on_hand - reserved or not 0 <= reserved <= on_hand:
                raise BrokenError(f"Item {item_id}, bucket {bucket}: {on_hand} - {reserved} is not {available}.")
            held = self.state.reserved.get(where, 0)
            if reserved != held:
                found[where] = f"{reserved} units are reserved, and orders hold {held}"
        return found

    def _check_stock_again(self) -> Iterator[None]:
        """What orders moved meanwhile differs otherwise the second time, or no longer."""
        for where, what in self.state.differing.items():
            item_id, bucket = where.split()
            if self._differences(item_id).get(where) == what:
                raise BrokenError(f"Item {item_id}, bucket {bucket}: {what}.")
            yield

    def _listed(self, collection: str) -> Iterator[list[Row]]:
        """Yield the entries of a collection as the index shows them, a page at a time; keep the place after each."""
        for pk in keys.list_pks(self._tenant, collection):
            place = self.state.place
            if place and pk < place[0]:
                continue
            after = place[1] if place and place[0] == pk else ""
            while found := self._page(pk, after):
                yield found
                after = found[-1]["gsi1sk"]
                self.state.place = [pk, after]
                self._save()

    def _page(self, pk: str, after: str) -> list[Row]:
        condition = "gsi1pk = :pk AND gsi1sk > :after"
        return self._table.query(condition, {":pk": pk, ":after": after or " "}, index="gsi1", limit=PAGE).rows


def _settled() -> str:
    return to_rfc3339(now() - SETTLED_AFTER)
