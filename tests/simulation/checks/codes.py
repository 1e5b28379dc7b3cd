"""What must hold of discount codes: uses are those of orders, and within their limits."""

from collections import Counter
from dataclasses import dataclass, field

from domain.orders.order import Order
from domain.orders.status import ENDED_UNPAID
from repositories.dynamodb.codec import Row
from tests.simulation.checks.history import History
from tests.simulation.checks.violation import require
from tests.simulation.world.model import Commit, Model

CUSTOMERS = [f"00000000-0000-4000-8000-00000000000{number}" for number in range(3)]
"""Customers that use codes."""


@dataclass(slots=True)
class Codes:
    """Uses of codes by the orders that there are, by discount and by discount and customer."""

    used: Counter[str] = field(default_factory=Counter)
    used_by: Counter[tuple[str, str]] = field(default_factory=Counter)

    def count(self, was: Order | None, order: Order) -> None:
        """Count the use of an order that is placed, or that ends unpaid."""
        if order.discount is None:
            return
        ends = was is not None and was.status not in ENDED_UNPAID and order.status in ENDED_UNPAID
        for more in [1] * (was is None) + [-1] * ends:
            self.used[order.discount.id] += more
            self.used_by[order.discount.id, order.customer_id] += more

    def check(self, commit: Commit, model: Model, history: History) -> None:
        """Check the discounts that a decision changed, and note whether they can be used."""
        for (pk, _), row in _changed(commit):
            if row["type"] in {"discount", "discount_use"}:
                self._check(commit, model.rows, pk, history)

    def _check(self, commit: Commit, rows: dict[tuple[str, str], Row], pk: str, history: History) -> None:
        discount = rows[pk, "DISCOUNT"]
        head, uses = discount["head"], discount["uses"]
        name = head["id"]
        require(uses == self.used[name], f"{head['code']} has {uses} uses, and orders {self.used[name]}.")
        customers = {sk.partition("#")[2]: row["uses"] for (each, sk), row in rows.items() if each == pk and "#" in sk}
        for customer, count in customers.items():
            require(count == self.used_by[name, customer], f"{customer} used {head['code']} another number of times.")
        before = commit.before.get((pk, "DISCOUNT"), discount)
        if before and uses > before["uses"]:
            most = head["max_uses"]
            require(most is None or uses <= most, f"{head['code']} was used {uses} times, and {most} are allowed.")
            most = head["max_uses_per_customer"]
            more = [row["uses"] for (each, sk), row in _changed(commit) if each == pk and "#" in sk]
            allowed = most is None or max(more) <= most
            require(allowed, f"{head['code']} was used more often by a customer than allowed.")
            require(head["status"] == "active", f"{head['code']} was used after it had been archived.")
        for customer in CUSTOMERS:
            usable = _is_usable(head, uses, customers.get(customer, 0))
            history.add(("code", head["code"], customer), usable, commit.decided, commit.complete)


def _changed(commit: Commit) -> list[tuple[tuple[str, str], Row]]:
    return [(key, row) for key, row in commit.after.items() if row]


def _is_usable(head: Row, uses: int, by_customer: int) -> bool:
    limits = ((head["max_uses"], uses), (head["max_uses_per_customer"], by_customer))
    return head["status"] == "active" and all(most is None or count < most for most, count in limits)
