"""Units of an order in the stock: those still reserved for it, and those that left with its shipments.

An order's reservations are kept as they were made. Units that are shipped or freed are taken from the first reservation
on, so their number says what is left of each.
"""

from collections.abc import Iterable, Iterator, Sequence

from domain.orders.order import Order
from domain.orders.status import ENDED_UNPAID
from domain.stock import Reservation


def next_reserved(holds: Iterable[Reservation], item_id: str, used: int, units: int) -> Iterator[Reservation]:
    """Yield the reservations of the next `units` of an item, after `used` units of its reservations are gone.

    Yields nothing for an item with units that are not counted.
    """
    for hold in holds:
        if hold.item_id == item_id:
            skipped = min(used, hold.units)
            taken = min(units, hold.units - skipped)
            used, units = used - skipped, units - taken
            if taken:
                yield Reservation(item_id, hold.shard, taken)


def still_reserved(order: Order, holds: Sequence[Reservation]) -> list[Reservation]:
    """Return the units that are reserved for an order, by item and shard."""
    if order.status in ENDED_UNPAID:
        return []
    return [
        each
        for line in order.lines
        for each in next_reserved(holds, line.item_id, line.shipped + line.freed, line.to_ship)
    ]


def left_stock(order: Order, holds: Sequence[Reservation]) -> dict[str, int]:
    """Return the counted units that left the stock with an order and did not return, by item."""
    counted = {hold.item_id for hold in holds}
    units = {line.item_id: line.shipped - line.restocked for line in order.lines if line.item_id in counted}
    return {item_id: count for item_id, count in units.items() if count}
