"""Audit of a tenant's books, of its orders against books, stock and sales, and of bookings against calendars.

It only reads, at a limited rate.
Books are checked up to a settled instant; the next audit checks later postings. Progress is saved to a file, so that
an interrupted audit resumes. Trading may continue: inconsistencies that a concurrent change may explain are rechecked
before they are reported.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

from cli.audit.bookings import check_bookings, check_calendars
from cli.audit.chains import check_chains
from cli.audit.discounts import check_discounts
from cli.audit.orders import check_orders
from cli.audit.reading import Reading
from cli.audit.rounds import prepare_round, settle
from cli.audit.sales import check_sales
from cli.audit.state import BrokenError, State
from cli.audit.stock import check_stock
from cli.audit.transactions import check_transactions
from cli.progress import Bar
from repositories.dynamodb.table import Table

__all__ = ["Audit", "BrokenError"]

ROUNDS = 4
"""Maximum rounds in which orders are compared again with what differed from them.

An item or a discount that changes in every round stays unsettled.
"""


class Audit:
    """Audit of one tenant."""

    def __init__(self, table: Table, tenant: str, file: Path, rate: float, bar: Bar) -> None:
        self._bar = bar
        self.reading = Reading(table, tenant, State.kept_in(file), file, rate)

    @property
    def unsettled(self) -> list[str]:
        """Items, discounts and figures that could not be compared with orders, as they changed in every round."""
        return sorted(self.reading.state.differing)

    def run(self) -> dict[str, int]:
        """Run the audit and return the number of checks by phase. Raises BrokenError at the first inconsistency."""
        state = self.reading.state
        steps: dict[str, Callable[[Reading], Iterator[None]]] = {
            "chains": check_chains,
            "transactions": check_transactions,
            "orders": check_orders,
            "stock": check_stock,
            "discounts": check_discounts,
            "sales": check_sales,
            "bookings": check_bookings,
            "calendars": check_calendars,
        }
        phases = list(steps)
        for phase in phases[phases.index(state.phase) :] if state.phase in steps else ():
            self._run(phase, steps[phase])
        while state.differing and state.round < ROUNDS:
            if state.phase != "stock again":
                if state.phase != "orders again":
                    prepare_round(self.reading)
                self._run("orders again", check_orders)
            self._run("stock again", settle)
            state.round += 1
            self.reading.enter(f"round {state.round} settled")
        self.reading.file.unlink(missing_ok=True)
        return state.checked

    def _run(self, phase: str, check: Callable[[Reading], Iterator[None]]) -> None:
        self.reading.enter(phase)
        task = self._bar.add_task(f"Checking {phase}", total=None)
        checked = self.reading.state.checked
        for _ in check(self.reading):
            checked[phase] = checked.get(phase, 0) + 1
            self._bar.advance(task)
