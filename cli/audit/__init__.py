"""Auditing a tenant: its books, and its orders against books and stock. It only reads, and no faster than it may.

Books are checked up to an instant that is settled; whatever is posted after it is for the next audit. Where it has got
to is kept in a file, so that an audit that was stopped goes on from there. Trade may go on all the while: what is seen
in the middle of a change is looked at again before it is called broken.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

from rich.progress import Progress

from cli.audit.chains import check_chains
from cli.audit.orders import check_orders
from cli.audit.reading import Reading
from cli.audit.state import BrokenError, State
from cli.audit.stock import check_stock, prepare_round, settle_stock
from cli.audit.transactions import check_transactions
from repositories.dynamodb.table import Table

__all__ = ["Audit", "BrokenError"]

ROUNDS = 4
"""How often orders and the stock that differed from them are compared again. Trade that moves an item's stock in each
round leaves it unsettled."""


class Audit:
    """An audit of one tenant."""

    def __init__(self, table: Table, tenant: str, file: Path, rate: float, bar: Progress) -> None:
        self._bar = bar
        self.reading = Reading(table, tenant, State.kept_in(file), file, rate)

    @property
    def unsettled(self) -> list[str]:
        """The items whose stock changed too fast to be compared with the orders."""
        return sorted(self.reading.state.differing)

    def run(self) -> dict[str, int]:
        """Return how much of what was checked. Raises BrokenError at the first thing that does not hold."""
        state = self.reading.state
        steps: dict[str, Callable[[Reading], Iterator[None]]] = {
            "chains": check_chains,
            "transactions": check_transactions,
            "orders": check_orders,
            "stock": check_stock,
        }
        phases = list(steps)
        for phase in phases[phases.index(state.phase) :] if state.phase in steps else ():
            self._run(phase, steps[phase])
        while state.differing and state.round < ROUNDS:
            if state.phase != "stock again":
                if state.phase != "orders again":
                    prepare_round(self.reading)
                self._run("orders again", check_orders)
            self._run("stock again", settle_stock)
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
        done = max(checked.get(phase, 0), 1)
        self._bar.update(task, total=done, completed=done)
