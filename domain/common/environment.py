"""The system as Tradepost may use it: clock, pauses, chance and parallel work, all from one place.

Nothing else asks the system for them. So a simulation can put an environment of its own in place, for each function
that it runs, and is then exact: the same seed gives the same run.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from datetime import UTC, datetime
from functools import cache
from random import Random, SystemRandom
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor


class Environment:
    """The machine that the code runs on."""

    chance: Random = SystemRandom()
    """Without a state, which copies of one snapshot (SnapStart) would share."""

    def now(self) -> datetime:
        """Return the time by the wall clock, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds by a clock that never goes back; only differences mean something."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)

    def in_parallel[A, R](self, call: Callable[[A], R], arguments: Iterable[A]) -> list[R]:
        """Return the results of `call` for each argument, in their order; the first exception is raised."""
        with_context = [(copy_context(), argument) for argument in arguments]
        return list(_pool().map(lambda each: each[0].run(call, each[1]), with_context))


@cache
def _pool() -> "ThreadPoolExecutor":
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(max_workers=8, thread_name_prefix="parallel")


_SYSTEM = Environment()
_environment: ContextVar[Environment] = ContextVar("environment", default=_SYSTEM)


@contextmanager
def using(environment: Environment) -> Iterator[None]:
    """Let code within use another environment."""
    token = _environment.set(environment)
    try:
        yield
    finally:
        _environment.reset(token)


def now() -> datetime:
    """Return the current time in UTC, cut to milliseconds."""
    moment = _environment.get().now()
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def monotonic() -> float:
    """Return seconds by a clock that never goes back; only differences mean something."""
    return _environment.get().monotonic()


def sleep(seconds: float) -> None:
    """Wait."""
    _environment.get().sleep(seconds)


def chance() -> Random:
    """Return the generator of random numbers."""
    return _environment.get().chance


def unique() -> UUID:
    """Return an id that nobody else makes (RFC 9562, version 4)."""
    return UUID(bytes=chance().randbytes(16), version=4)


def in_parallel[A, R](call: Callable[[A], R], arguments: Iterable[A]) -> list[R]:
    """Return the results of `call` for each argument, in their order; the first exception is raised."""
    return _environment.get().in_parallel(call, arguments)
