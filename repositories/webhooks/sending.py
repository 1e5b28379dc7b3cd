"""One HTTP request to an endpoint: to an address that was checked, in a limited time, without redirects."""

from dataclasses import dataclass
from pathlib import Path
from threading import Thread

import botocore
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util.ssl_ import create_urllib3_context

from domain import VERSION
from domain.common.environment import monotonic
from repositories.webhooks.addresses import AddressRefusedError, Target, target_of

SECONDS = 10.0
"""Time of an attempt, from resolving the name to the status of the answer."""
_ROOTS = Path(botocore.__file__).parent / "cacert.pem"
_SUCCESS = range(200, 300)
_REDIRECT = range(300, 400)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Outcome of a request: the status of the answer, if there was one, and what went wrong."""

    status: int | None
    error: str | None
    duration_ms: int

    @property
    def succeeded(self) -> bool:
        """Whether the event was taken."""
        return self.error is None


def send(url: str, headers: dict[str, str], body: str) -> Outcome:
    """Post a body to a URL and return the outcome. Of the answer, only the status is read. Raises nothing.

    It runs in a thread that is left behind when its time is over, whatever it waits for: a name server, a handshake,
    or an answer that comes byte by byte.
    """
    started = monotonic()
    outcomes: list[tuple[int | None, str | None]] = []
    thread = Thread(target=lambda: outcomes.append(_attempt(url, headers, body)), daemon=True, name="webhook")
    thread.start()
    thread.join(SECONDS)
    status, error = outcomes[0] if outcomes else (None, "timed out")
    return Outcome(status, error, int((monotonic() - started) * 1000))


def _attempt(url: str, headers: dict[str, str], body: str) -> tuple[int | None, str | None]:
    """Return the status of the answer, if there was one, and what went wrong."""
    try:
        status = _post(target_of(url), headers, body)
    except AddressRefusedError as refused:
        return None, str(refused)
    except TimeoutError:
        return None, "timed out"
    except Exception as failed:  # noqa: BLE001 - whatever an answer leads to is a failed attempt
        return None, _named(failed)
    return status, _error_of(status)


def _error_of(status: int) -> str | None:
    if status in _SUCCESS:
        return None
    return f"HTTP {status}: redirects are not followed" if status in _REDIRECT else f"HTTP {status}"


def _named(failed: Exception) -> str:
    """Return the kind of an error. Its text could show what is at an address."""
    return type(failed).__name__


def _post(target: Target, headers: dict[str, str], body: str) -> int:
    connection = _connection(target)
    try:
        connection.connect()
        host = f"[{target.host}]" if ":" in target.host else target.host
        usual = 443 if target.scheme == "https" else 80
        sent = {
            "Host": host if target.port == usual else f"{host}:{target.port}",
            "Content-Type": "application/json",
            "User-Agent": f"tradepost/{VERSION}",
            "Connection": "close",
            **headers,
        }
        connection.request("POST", target.path, body.encode(), sent, preload_content=False)
        return connection.getresponse().status
    finally:
        connection.close()


def _connection(target: Target) -> HTTPConnection:
    if target.scheme == "http":
        return HTTPConnection(target.address, target.port, timeout=SECONDS)
    context = create_urllib3_context()
    context.load_verify_locations(_ROOTS)
    return HTTPSConnection(
        target.address,
        target.port,
        timeout=SECONDS,
        ssl_context=context,
        server_hostname=target.host,
        assert_hostname=target.host,
    )
