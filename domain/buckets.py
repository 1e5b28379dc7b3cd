"""Stock split over buckets, so that many orders of one hot item do not wait for each other.

Each bucket has units of its own; an order takes from one of them, or from several where no single one has enough.
"""

from collections.abc import Sequence

MAX_BUCKETS = 16


def taken(available: Sequence[int], units: int) -> dict[int, int] | None:
    """Return how many units to take from which bucket, or None if all together have fewer.

    `available` is by bucket. One bucket gives all where one can: the fullest, which others will least likely drain
    meanwhile; else the fullest ones together.
    """
    if sum(available) < units:
        return None
    shares: dict[int, int] = {}
    for bucket in sorted(range(len(available)), key=available.__getitem__, reverse=True):
        if units == 0:
            break
        shares[bucket] = min(units, available[bucket])
        units -= shares[bucket]
    return shares


def spread(units: int, buckets: int) -> list[int]:
    """Return units divided evenly over buckets; the first ones get what is left over."""
    share, rest = divmod(units, buckets)
    return [share + (bucket < rest) for bucket in range(buckets)]


def level(available: Sequence[int], delta: int, buckets: int) -> list[int]:
    """Return by how much each row's available units change so that `delta` come in (or go out), spread evenly.

    Only the first `buckets` rows have units afterwards. Raises ValueError if more would go than there are.
    """
    left = sum(available) + delta
    if left < 0:
        raise ValueError("more units would go than there are")
    wanted = spread(left, buckets) + [0] * (len(available) - buckets)
    return [after - before for after, before in zip(wanted, available, strict=True)]
