"""Rounds of an audit, in which items, discounts and figures that differed from the orders are compared again.

Orders change while they are added up. A round counts only if what is compared did not change during it. It is broken if
it has the same difference in two such rounds, as an index may show an order late.
"""

from collections.abc import Callable, Iterator

from cli.audit.discounts import discount_changes, discount_difference
from cli.audit.reading import Reading
from cli.audit.sales import PREFIX, sales_changes, sales_difference
from cli.audit.state import BrokenError
from cli.audit.stock import stock_changes, stock_difference
from domain.common.ids import is_id

type Changes = Callable[[Reading, str], list[int]]
type Difference = Callable[[Reading, str], str]


def prepare_round(reading: Reading) -> None:
    """Record the change counters of what differs, before orders are added up again."""
    state = reading.state
    state.changes = {each: _of(each)[0](reading, each) for each in state.differing}
    state.reserved, state.shipped, state.used, state.sales = {}, {}, {}, {}


def settle(reading: Reading) -> Iterator[None]:
    """Compare what differed again. Raises BrokenError for the same difference in two rounds without changes."""
    state = reading.state
    for each in list(state.differing):
        changes, difference = _of(each)
        differs = difference(reading, each)
        if not differs:
            del state.differing[each]
        elif changes(reading, each) == state.changes[each]:
            if state.confirmed.get(each) == differs:
                raise BrokenError(f"{_named(each)}: {differs}.")
            state.confirmed[each] = differs
        yield


def _named(differing: str) -> str:
    if differing.startswith(PREFIX):
        return f"Figures ({differing})"
    return f"{'Discount' if is_id('discount', differing) else 'Item'} {differing}"


def _of(differing: str) -> tuple[Changes, Difference]:
    if differing.startswith(PREFIX):
        return sales_changes, sales_difference
    is_discount = is_id("discount", differing)
    return (discount_changes, discount_difference) if is_discount else (stock_changes, stock_difference)
