"""Audit of sales figures: they are the sums of what was counted of orders."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from cli.audit.reading import Reading, broken_unless
from domain.common.environment import now
from domain.orders.order import Order
from domain.stats import SALES, SPENDING, Counter, add_figures, additions
from repositories.dynamodb import keys
from repositories.dynamodb.codec import Row
from repositories.dynamodb.table import Table
from repositories.identity.tenants import find_tenant
from repositories.stats import keys as stats_keys
from repositories.stats.counting import counted_in, shown_generation

PREFIX = "sales "
"""Beginning of the name of figures in an audit's state."""
_COUNTED_WITHIN = timedelta(hours=3)
"""Time within which a change of an order is counted, even if its event was lost."""


def add_sales(reading: Reading, order: Order, counted: Row | None, stats: Row | None) -> None:
    """Add up what has been counted of an order. Raises BrokenError if a change of long ago has not been counted."""
    all_of_it = additions(order)
    done = counted_in(counted, shown_generation(stats))
    name = f"Order {order.id}"
    broken_unless(done <= len(all_of_it), f"{name}: more of it is counted than there is.")
    is_old = order.updated_at < datetime.fromisoformat(reading.state.until) - _COUNTED_WITHIN
    broken_unless(done == len(all_of_it) or not is_old, f"{name}: its sales are not counted.")
    for each in all_of_it[:done]:
        add_figures(reading.state.sales.setdefault(_name(each.counter), {}), each.figures)


def check_sales(reading: Reading) -> Iterator[None]:
    """Compare all figures with the orders, and record those that differ."""
    found = set(reading.state.sales)
    for pk in _months(reading):
        found |= {_name(_counter(row)) for row in reading.table.whole_partition(pk)}
    for name in sorted(found):
        differs = sales_difference(reading, name)
        if differs:
            reading.state.differing[name] = differs
        yield


def sales_changes(reading: Reading, name: str) -> list[int]:
    """Return when the rows of figures were last added to, in milliseconds since the epoch."""
    return [int(datetime.fromisoformat(row["counted_at"]).timestamp() * 1000) for row in _rows(reading, name)]


def sales_difference(reading: Reading, name: str) -> str:
    """Return the difference between figures and what was counted of orders, or an empty string."""
    rows, wanted = _rows(reading, name), reading.state.sales.get(name, {})
    for figure in SPENDING if _counter_named(name).of == "customer" else SALES:
        there = sum(row.get(figure, 0) for row in rows)
        if there != wanted.get(figure, 0):
            return f"{figure} are {there}, and orders {wanted.get(figure, 0)}"
    return ""


def _name(counter: Counter) -> str:
    return PREFIX + "|".join(counter)


def _counter_named(name: str) -> Counter:
    of, currency, day, id_ = name.removeprefix(PREFIX).split("|")
    return Counter(of, currency, day, id_)  # type: ignore[arg-type]


def _counter(row: Mapping[str, str]) -> Counter:
    day, currency, item = stats_keys.sales_parts(row["sk"])
    return Counter("day" if stats_keys.is_day(row["sk"]) else "item", currency, day, item)


def _generation(reading: Reading) -> int:
    return shown_generation(reading.table.get(stats_keys.stats(reading.tenant)))


def _rows(reading: Reading, name: str) -> list[Row]:
    counter, generation = _counter_named(name), _generation(reading)
    # A customer's figures are in no shard: the same key for all.
    wanted = {stats_keys.figures(reading.tenant, generation, counter, shard) for shard in range(keys.SHARDS)}
    return [*reading.table.batch_get(wanted).values()]


def _months(reading: Reading) -> list[str]:
    """Return the partition keys of the sales of all months since the tenant was created."""
    first, last = first_day(reading.table, reading.tenant).date(), now().date() + timedelta(days=1)
    return stats_keys.sales_pks(reading.tenant, _generation(reading), first, last)


def first_day(table: Table, tenant: str) -> datetime:
    """Return when a tenant was created, or the table if that is all that is known: a restored one is younger."""
    created, found = table.created_at(), find_tenant(table, tenant)
    return min(created, found.created_at) if found else created
