"""A small cache for values that warm functions keep between requests."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from contextlib import suppress
from datetime import datetime

from domain.common.environment import now


class TtlCache[K: Hashable, V]:
    """The most recently used values by key, with the time at which each was loaded.

    Ages are measured by the wall clock, as other clocks do not run while Lambda has frozen the environment.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._loaded: OrderedDict[K, tuple[datetime, V]] = OrderedDict()

    def get(self, key: K, load: Callable[[], V], *, max_age: float) -> V:
        """Return the value of a key; load it if it is missing, older than `max_age` seconds or dated in the future."""
        known = self._loaded.get(key)
        at = now()
        if known is None or not 0 <= (at - known[0]).total_seconds() <= max_age:
            known = self._loaded[key] = (at, load())
            if len(self._loaded) > self._size:
                self._loaded.popitem(last=False)
        with suppress(KeyError):  # Another thread may have dropped it.
            self._loaded.move_to_end(key)
        return known[1]

    def forget(self, key: K) -> None:
        """Drop the value of a key, if there is one."""
        self._loaded.pop(key, None)

    def clear(self) -> None:
        """Drop all values."""
        self._loaded.clear()

    def __len__(self) -> int:
        return len(self._loaded)
