"""Counting of orders into sales figures: each addition once, in the transaction that notes that it was counted.

What is counted of an order is the number of its additions (`domain.stats`). To count is to read the order, add what is
new to the figures and advance the number, if it is still the one that was read. So it does not matter how often or
in which order events arrive: the last one brings the figures up to date, and a lost one is made good by any later one.

Figures belong to a generation. While a new one is being counted from all orders, events are counted into both.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import batched, islice

from domain.common.model import to_rfc3339
from domain.orders.order import Order
from domain.stats import Addition, Counter, Figures, add_figures, additions
from repositories.dynamodb import keys
from repositories.dynamodb.codec import Row, new_row
from repositories.dynamodb.iam_actions import IamAction, uses
from repositories.dynamodb.session import Session
from repositories.dynamodb.transaction import Stale, WriteTransaction
from repositories.orders.rows import StoredOrder
from repositories.stats import keys as stats_keys

COUNTED = frozenset({"OrderPaid", "OrderPartiallyRefunded", "OrderRefunded"})
"""Kinds of events after which an order has more to count."""
FIRST = 1
"""Number of the first generation of figures."""
_MAX_ADDITIONS = 90
"""Additions of one transaction: it may have 100 actions."""


@uses(IamAction.BATCH_GET, IamAction.PUT, IamAction.UPDATE)
def count_order(session: Session, order_id: str, version: int = 1) -> int:
    """Count what has not been counted of an order, in this version at least; return the number of additions.

    Raises Contention.
    """
    return session.retry_on_conflict(lambda: _Counting(session).attempt(order_id, version))


@dataclass(frozen=True, slots=True)
class _Counting:
    session: Session

    def attempt(self, order_id: str, version: int) -> int:
        tenant = self.session.tenant
        order_key, counted_key, stats_key = wanted = (
            keys.order(tenant, order_id),
            stats_keys.counted(tenant, order_id),
            stats_keys.stats(tenant),
        )
        rows = self.session.read(wanted)
        # An event may be read before the other rows of its transaction are visible.
        if order_key not in rows or rows[order_key]["version"] < version:
            raise Stale
        order = StoredOrder.from_row(rows[order_key]).order
        return sum(
            self._count(order, generation, rows.get(counted_key)) for generation in generations(rows.get(stats_key))
        )

    def _count(self, order: Order, generation: int, counted: Row | None) -> int:
        """Count what a generation does not have of an order, as many additions at a time as a transaction takes."""
        name, first = _attribute(generation), counted_in(counted, generation)
        done = first
        for some in batched(islice(additions(order), done, None), _MAX_ADDITIONS, strict=False):
            tx = self.session.transaction()
            self._note(tx, order.id, counted, {name: done + len(some)})
            for counter, figures in _merged(some).items():
                key = stats_keys.figures(self.session.tenant, generation, counter, keys.shard(order.id))
                tx.add("add to the figures", key, "figures", figures, counted_at=to_rfc3339(self.session.at))
            tx.commit(self.session.deadline)
            done += len(some)
            counted = {**(counted or {}), name: done}
        return done - first

    def _note(self, tx: WriteTransaction, order_id: str, counted: Row | None, noted: dict[str, int]) -> None:
        """Add the step that advances the number of counted additions. It raises Stale if another call has done so."""
        [(name, number)] = noted.items()
        key = stats_keys.counted(self.session.tenant, order_id)
        if counted is None:
            tx.create("note what is counted", new_row(key, "counted", **noted), raises=Stale())
            return
        before = {"before": counted[name]} if name in counted else {}
        tx.update(
            "note what is counted",
            key,
            f"SET {name} = :number",
            condition=f"{name} = :before" if before else f"attribute_not_exists({name})",
            raises=Stale(),
            number=number,
            **before,
        )


def generations(stats: Row | None) -> Iterator[int]:
    """Yield the generations into which orders are counted: the one that is shown, and a new one if there is one."""
    shown = shown_generation(stats)
    yield shown
    if stats and stats["rebuilding"]:
        yield shown + 1


def _attribute(generation: int) -> str:
    return f"counted_{generation}"


def counted_in(counted: Row | None, generation: int) -> int:
    """Return how many additions of an order a generation has, from the row of what is counted of the order."""
    return int(counted.get(_attribute(generation), 0)) if counted else 0


def shown_generation(stats: Row | None) -> int:
    """Return the generation of figures that is shown."""
    return int(stats["generation"]) if stats else FIRST


def _merged(some: Iterable[Addition]) -> dict[Counter, Figures]:
    """Return additions by counter, as a transaction may change a row once. Figures that add nothing are left out."""
    sums: dict[Counter, Figures] = {}
    for each in some:
        add_figures(sums.setdefault(each.counter, {}), each.figures)
    added = {counter: {name: n for name, n in figures.items() if n} for counter, figures in sums.items()}
    return {counter: figures for counter, figures in added.items() if figures}
