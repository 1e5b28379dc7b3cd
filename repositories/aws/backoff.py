"""Pauses between retries."""

from domain.common.environment import chance

_FIRST_PAUSE = 0.025
_LONGEST_PAUSE = 1.0


def backoff_seconds(attempt: int) -> float:
    """Return the pause in seconds after attempt number `attempt` (from 0), with full jitter.

    Source: AWS Architecture Blog, "Exponential Backoff And Jitter".
    """
    return chance().uniform(0, min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**attempt))
