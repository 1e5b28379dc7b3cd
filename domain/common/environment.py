"""Single source of time, sleeps, random numbers and parallel work.

No other module gets them from the system. A simulation can therefore replace the environment of each function that it
runs and is reproducible: the same seed gives the same run.
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
    """Environment that uses the clock, random numbers and threads of the machine."""

    chance: Random = SystemRandom()
    """Generator of random numbers. It has no state that copies of one SnapStart snapshot would share."""

    def now(self) -> datetime:
        """Return the time of the wall clock, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return the seconds of a clock that never goes back; only differences are meaningful."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait for `seconds`."""
        time.sleep(seconds)

    def in_parallel[A, R](self, call: Callable[[A], R], arguments: Iterable[A]) -> list[R]:
        """Return the result of `call` for each argument, in the order of the arguments. Raises the first exception.

        Within such a call, the arguments are taken one after another: threads that waited for others of the same pool
        could wait for ever.
        """
        if _in_parallel.get():
            return [call(argument) for argument in arguments]

        def called(argument: A) -> R:
            _in_parallel.set(True)
            return call(argument)

        with_context = [(copy_context(), argument) for argument in arguments]
        return list(_pool().map(lambda each: each[0].run(called, each[1]), with_context))


_in_parallel: ContextVar[bool] = ContextVar("in_parallel", default=False)


@cache
def _pool() -> "ThreadPoolExecutor":
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(max_workers=8, thread_name_prefix="parallel")


_SYSTEM = Environment()
_environment: ContextVar[Environment] = ContextVar("environment", default=_SYSTEM)


@contextmanager
def using(environment: Environment) -> Iterator[None]:
    """Replace the environment within the context."""
    token = _environment.set(environment)
    try:
        yield
    finally:
        _environment.reset(token)


def now() -> datetime:
    """Return the current time in UTC, truncated to milliseconds."""
    moment = _environment.get().now()
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def monotonic() -> float:
    """Return the seconds of a clock that never goes back; only differences are meaningful."""
    return _environment.get().monotonic()


def sleep(seconds: float) -> None:
    """Wait for `seconds`."""
    _environment.get().sleep(seconds)


def chance() -> Random:
    """Return the generator of random numbers."""
    return _environment.get().chance


def unique() -> UUID:
    """Return a random UUID (RFC 9562, version 4)."""
    return UUID(bytes=chance().randbytes(16), version=4)


def in_parallel[A, R](call: Callable[[A], R], arguments: Iterable[A]) -> list[R]:
    """Return the result of `call` for each argument, in the order of the arguments. Raises the first exception."""
    return _environment.get().in_parallel(call, arguments)
