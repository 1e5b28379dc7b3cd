"""Search for the last entry of a chain at or before an instant, without reading the whole chain.

Times never decrease along a chain. Each round reads three entries in one request: one on either side of the position
expected if entries were evenly spaced, and the middle one. A round reduces an evenly spaced range to about the square
root of its length, and any range at least by half.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from math import isqrt

WINDOW = 12
"""Stop searching when at most this many entries remain: reading them takes about one read unit."""

type Times = Callable[[Sequence[int]], Mapping[int, datetime]]
"""Function that returns the times of entries by number."""


def last_until(instant: datetime, first: datetime, last: tuple[int, datetime], times: Times) -> int:
    """Return the number of the last entry at or before `instant`, or a number at most `WINDOW` before it.

    `first` is the time of entry 1, `last` the number and time of the last entry. The result is 0 if all are later.
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
