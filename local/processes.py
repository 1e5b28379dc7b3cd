"""Servers that run as child processes on free ports of the loopback interface."""

import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PORTS = range(20_000, 32_000)
"""Ports below the ephemeral range, so that no outgoing connection takes a free port before the server does."""
_ATTEMPTS = 3
_START_SECONDS = 300
"""Timeout for a process that neither exits nor becomes ready; generous, as machines may be slow and busy."""
_STOP_SECONDS = 10

type Process = subprocess.Popen[bytes]


def free_port() -> int:
    """Return a free port of the loopback interface. Raises LookupError if none is found."""
    for port in random.sample(_PORTS, 100):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise LookupError("No free port was found on the loopback interface")


def accepts(port: int) -> bool:
    """Return whether something accepts connections on a port of the loopback interface."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def serving(
    start: Callable[[int], Process], ready: Callable[[int], bool] = accepts, log: Path | None = None
) -> Iterator[int]:
    """Run a server on a free port, yield the port when the server is ready, and stop it at the end.

    `start` is called with a port and starts the process as the leader of a process group. If the process exits before
    it is ready, for example because the port is taken, it is started again on another port. Raises LookupError with
    the end of the `log` if all attempts fail.
    """
    process, port = _started(start, ready, log)
    try:
        yield port
    finally:
        _stop(process)


def _started(start: Callable[[int], Process], ready: Callable[[int], bool], log: Path | None) -> tuple[Process, int]:
    for _ in range(_ATTEMPTS):
        port = free_port()
        process = start(port)
        try:
            if _is_ready(process, port, ready):
                return process, port
        except BaseException:
            _stop(process)
            raise
        _stop(process)
    written = log.read_text(errors="replace")[-4000:] if log and log.exists() else "none"
    raise LookupError(f"A server did not start. Its log: {written}")


def _is_ready(process: Process, port: int, ready: Callable[[int], bool]) -> bool:
    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        if ready(port):
            return process.poll() is None
        time.sleep(0.02)
    return False


def _stop(process: Process) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
