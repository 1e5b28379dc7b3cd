"""How long to wait before asking again."""

from random import SystemRandom

_FIRST_PAUSE = 0.025
_LONGEST_PAUSE = 1.0
_chance = SystemRandom()
"""Not a generator with a state, which copies of one snapshot (SnapStart) would share."""


def one_of(count: int) -> int:
    """Return one of so many numbers from 0, picked at random."""
    return _chance.randrange(count)


def pause_before(attempt: int) -> float:
    """Return how long to wait, in seconds, after attempt number `attempt` (from 0): full jitter.

    Source: AWS Architecture Blog, "Exponential Backoff And Jitter".
    """
    return _chance.uniform(0, min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**attempt))
