"""What was so, and when: each fact with the time from which it may have been seen, and until when.

A state may be seen from the moment at which it was decided, and the one before it until all rows of the change are
visible.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class History:
    """States of things, by what they are of."""

    _states: dict[Any, list[list[Any]]] = field(default_factory=lambda: defaultdict(list))

    def add(self, of: Any, value: Any, decided: float, complete: float) -> None:
        """Note a new state."""
        states = self._states[of]
        if states:
            states[-1][1] = complete
        states.append([decided, float("inf"), value])

    def possible(self, of: Any, since: float, until: float) -> Iterator[Any]:
        """Return the states that could be seen at some moment of a time."""
        return (value for decided, superseded, value in self._states[of] if decided <= until and superseded >= since)

    def last(self, of: Any) -> Any:
        """Return the last state, or None."""
        states = self._states[of]
        return states[-1][2] if states else None
