"""Stock of an item: its units, and how they are spread over shards.

A shard has units of its own, so that orders of a popular item do not conflict: each reserves units of one shard, or of
several if no single one has enough.
"""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from domain.common.errors import Flaw, InvalidState, OutOfStock
from domain.common.model import A_NUMBER, Model, SingleLine

MAX_SHARDS = 16
MAX_UNITS = 1_000_000_000

Units = Annotated[int, Field(ge=0, le=MAX_UNITS), A_NUMBER]


class Stock(Model):
    """Units of an item: on hand, reserved for orders, and free to sell."""

    on_hand: int
    reserved: int
    available: int

    def adjusted(self, delta: int) -> "Stock":
        """Return the stock with `delta` units more on hand, or raise OutOfStock if reserved units would go."""
        if self.available + delta < 0:
            raise OutOfStock(
                "Fewer units are free than would be taken.",
                Flaw("/delta", "OUT_OF_STOCK", f"{self.available} available"),
            )
        if self.on_hand + delta > MAX_UNITS:
            raise InvalidState(f"An item holds {MAX_UNITS:,} units at most.")
        return Stock(on_hand=self.on_hand + delta, reserved=self.reserved, available=self.available + delta)


class StockBuckets(Model):
    """An item's stock by bucket. `count` is over how many free units are spread; others hold reserved units only."""

    item_id: str
    count: int
    buckets: list[Stock]


class StockAdjustment(Model):
    """Units that came in (positive) or went out (negative), and why."""

    delta: Annotated[int, Field(ge=-MAX_UNITS, le=MAX_UNITS, examples=[-3]), A_NUMBER]
    reason: Annotated[SingleLine, Field(max_length=200, examples=["two broken, one lost"])]


class StockSplit(Model):
    """Over how many shards to spread an item's units."""

    count: Annotated[int, Field(ge=1, le=MAX_SHARDS, examples=[4]), A_NUMBER]


def allocate(available: Sequence[int], units: int) -> dict[int, int] | None:
    """Return the units to reserve by shard, or None if all shards together have fewer.

    `available` has the free units of each shard. The fullest shard gives all units if it can, as other orders are the
    least likely to empty it; otherwise the fullest ones do together.
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
    """Return units divided evenly over shards; the first ones get the remainder."""
    share, rest = divmod(units, shards)
    return [share + (shard < rest) for shard in range(shards)]


def rebalance(available: Sequence[int], delta: int, shards: int) -> list[int]:
    """Return the change of each shard's free units that adds `delta` units and spreads all evenly.

    Afterwards only the first `shards` shards have units. Raises ValueError if `delta` removes more than there are.
    """
    left = sum(available) + delta
    if left < 0:
        raise ValueError("more units would be removed than there are")
    wanted = distribute(left, shards) + [0] * (len(available) - shards)
    return [after - before for after, before in zip(wanted, available, strict=True)]
