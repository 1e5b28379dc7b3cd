"""Waiting for several calls at once."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=8, thread_name_prefix="table")


def in_parallel[A, R](call: Callable[[A], R], arguments: Iterable[A]) -> list[R]:
    """Return the results of `call` for each argument, in their order; the first exception is raised."""
    return list(_pool().map(call, arguments))
