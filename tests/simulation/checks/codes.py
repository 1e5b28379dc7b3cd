"""What must hold of discount codes: uses are those of orders, and within their limits."""

from collections import Counter
from dataclasses import dataclass, field

from domain.orders.order import Order
from domain.orders.status import ENDED_UNPAID
from repositories.dynamodb.codec import Row
from tests.simulation.checks.history import History
from tests.simulation.checks.violation import require
from tests.simulation.world.model import Commit, Model


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
        for (pk, _), row in commit.after.items():
            if row and row["type"] in {"discount", "discount_use"}:
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
            allowed = most is None or max(customers.values()) <= most
            require(allowed, f"{head['code']} was used more often by a customer than allowed.")
            require(head["status"] == "active", f"{head['code']} was used after it had been archived.")
        history.add(("code", head["code"]), _is_usable(head, uses, customers), commit.decided, commit.complete)


def _is_usable(head: Row, uses: int, customers: dict[str, int]) -> bool:
    by_customer = head["max_uses_per_customer"]
    is_left = head["max_uses"] is None or uses < head["max_uses"]
    return (
        head["status"] == "active"
        and is_left
        and (by_customer is None or all(count < by_customer for count in customers.values()))
    )
