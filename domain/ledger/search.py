"""Finding the last entry of a chain that is not after an instant, without reading the chain.

Times rise along a chain. Each round reads three entries at once: one to either side of where even spacing would put the
instant, and the middle one. Evenly spaced chains shrink to about the root of their length each round, and no chain
shrinks by less than half.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from math import isqrt

WINDOW = 12
"""So many entries are read at once in the end: about a read unit."""

type Times = Callable[[Sequence[int]], Mapping[int, datetime]]
"""Returns the times of entries by their numbers."""


def last_until(instant: datetime, first: datetime, last: tuple[int, datetime], times: Times) -> int:
    """Return the number of the last entry whose time is not after `instant`, or one at most `WINDOW` before it.

    `first` is the time of entry 1, `last` the number and time of the last one; the answer is 0 if all are after.
    """
    low, low_at = 1, first
    high, high_at = last
    if high == 0 or low_at > instant:
        return 0
    if high_at <= instant:
        return high
    while high - low > WINDOW:
        read = times(_probes(low, low_at, high, high_at, instant))
        for number, at in read.items():
            if at <= instant and number > low:
                low, low_at = number, at
            elif at > instant and number < high:
                high, high_at = number, at
    return low


def _probes(low: int, low_at: datetime, high: int, high_at: datetime, instant: datetime) -> list[int]:
    share = (instant - low_at) / (high_at - low_at)
    guess = low + round(share * (high - low))
    margin = isqrt(high - low)
    wanted = {guess - margin, guess + margin, (low + high) // 2}
    return sorted({min(max(number, low + 1), high - 1) for number in wanted})
