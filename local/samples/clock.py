"""Clock of sample data."""

from datetime import datetime, timedelta

from domain.common.environment import Environment

_TICK = timedelta(milliseconds=1)


class TickingClock(Environment):
    """Environment with a clock that is set by hand, and ticks when it is read."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        """Return the time, and let it tick."""
        self.at += _TICK
        return self.at
