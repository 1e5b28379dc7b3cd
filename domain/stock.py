"""Stock of an item: its units and their distribution over shards.

Each shard has its own units, so that concurrent orders of a popular item do not conflict: an order reserves units of
one shard, or of several if no single shard has enough.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from domain.common.errors import Flaw, InvalidState, OutOfStock
from domain.common.model import A_NUMBER, Model, SingleLine

MAX_SHARDS = 16
MAX_UNITS = 1_000_000_000

Units = Annotated[int, Field(ge=0, le=MAX_UNITS), A_NUMBER]


class Stock(Model):
    """Units of an item: on hand, reserved for orders, and available to order."""

    on_hand: int
    reserved: int
    available: int

    def adjusted(self, delta: int) -> "Stock":
        """Return the stock with `delta` more units on hand.

        Raises OutOfStock if reserved units would be removed, InvalidState for more than `MAX_UNITS` on hand.
        """
        if self.available + delta < 0:
            raise OutOfStock(
                "Fewer units are free than would be taken.",
                Flaw("/delta", "OUT_OF_STOCK", f"{self.available} available"),
            )
        if delta > 0 and self.on_hand + delta > MAX_UNITS:
            raise InvalidState(f"An item holds {MAX_UNITS:,} units at most.")
        return Stock(on_hand=self.on_hand + delta, reserved=self.reserved, available=self.available + delta)


class StockBuckets(Model):
    """An item's stock by bucket. Units are spread over the first `count`; others have only units of earlier orders."""

    item_id: str
    count: int
    buckets: list[Stock]


class StockAdjustment(Model):
    """Units to add (positive) or remove (negative), and the reason."""

    delta: Annotated[int, Field(ge=-MAX_UNITS, le=MAX_UNITS, examples=[-3]), A_NUMBER]
    reason: Annotated[SingleLine, Field(max_length=200, examples=["two broken, one lost"])]


class StockSplit(Model):
    """Number of buckets over which to spread an item's available units."""

    count: Annotated[int, Field(ge=1, le=MAX_SHARDS, examples=[4]), A_NUMBER]


@dataclass(frozen=True, slots=True)
class Reservation:
    """Units reserved for an order in one shard of an item's stock."""

    item_id: str
    shard: int
    units: int


@dataclass(frozen=True, slots=True)
class UnitChange:
    """A change of the units on hand and of the reserved units in one shard of an item's stock."""

    item_id: str
    shard: int
    on_hand: int
    reserved: int

    @property
    def available(self) -> int:
        """Change of the available units."""
        return self.on_hand - self.reserved


def reserved(hold: Reservation) -> UnitChange:
    """Return the change that reserves units for an order."""
    return UnitChange(hold.item_id, hold.shard, 0, hold.units)


def released(hold: Reservation) -> UnitChange:
    """Return the change that makes reserved units available again."""
    return UnitChange(hold.item_id, hold.shard, 0, -hold.units)


def taken(hold: Reservation) -> UnitChange:
    """Return the change that removes reserved units from the stock."""
    return UnitChange(hold.item_id, hold.shard, -hold.units, -hold.units)


def restocked(hold: Reservation) -> UnitChange:
    """Return the change that brings back units that had been removed."""
    return UnitChange(hold.item_id, hold.shard, hold.units, 0)


def merged(changes: Iterable[UnitChange]) -> list[UnitChange]:
    """Return changes with those of one shard added up, as a transaction may change a row once."""
    sums: dict[tuple[str, int], UnitChange] = {}
    for each in changes:
        key = (each.item_id, each.shard)
        before = sums.get(key, UnitChange(*key, 0, 0))
        sums[key] = UnitChange(*key, before.on_hand + each.on_hand, before.reserved + each.reserved)
    return list(sums.values())


def allocate(available: Sequence[int], units: int) -> dict[int, int] | None:
    """Return the units to reserve by shard, or None if all shards together have too few.

    `available` has the available units of each shard. All units come from the shard with the most, if it has enough,
    as other orders are least likely to exhaust it; otherwise from the shards with the most units.
    """
    if sum(available) < units:
        return None
    allocated: dict[int, int] = {}
    for shard in sorted(range(len(available)), key=available.__getitem__, reverse=True):
        if units == 0:
            break
        allocated[shard] = min(units, available[shard])
        units -= allocated[shard]
    return allocated


def distribute(units: int, shards: int) -> list[int]:
    """Return `units` divided evenly over shards; the first shards get one more each for the remainder."""
    share, rest = divmod(units, shards)
    return [share + (shard < rest) for shard in range(shards)]


def rebalance(available: Sequence[int], delta: int, shards: int) -> list[int]:
    """Return the change of each shard's available units that adds `delta` units and spreads all evenly.

    Afterwards only the first `shards` shards have available units. Raises ValueError if `delta` removes more than that.
    """
    left = sum(available) + delta
    if left < 0:
        raise ValueError("more units would be removed than there are")
    wanted = distribute(left, shards) + [0] * (len(available) - shards)
    return [after - before for after, before in zip(wanted, available, strict=True)]
