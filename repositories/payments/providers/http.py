"""HTTP requests to payment providers: limited in time, and repeated only with the same idempotency key."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import botocore
import urllib3
from urllib3.exceptions import HTTPError
from urllib3.util.ssl_ import create_urllib3_context

from domain import VERSION
from domain.common.environment import chance, monotonic, sleep
from repositories.payments.providers.provider import OutcomeUnknown, ProviderDown

_CONNECT_SECONDS, _READ_SECONDS = 2.0, 8.0
_TRIES = 2
_LONGEST_PAUSE = 2.0
_UNDECIDED = {409, 429}
_SERVER_ERROR = 500


@dataclass(frozen=True, slots=True)
class Response:
    """Answer of a provider: its status, and its body as JSON."""

    status: int
    body: Any
    headers: Mapping[str, str]


def request(method: str, url: str, headers: Mapping[str, str], body: str | None, deadline: float) -> Response:
    """Send a request, again if that may help, until `deadline` (monotonic clock, seconds).

    Raises OutcomeUnknown, or ProviderDown if the provider is to blame.

    It must be one that can be repeated without another effect. An answer that is no JSON object is no answer, nor is
    one that says nothing of what was done: an error of the server, a limit, or the same key at work (409).
    """
    for attempt in range(_TRIES):
        given: Mapping[str, str] = {}
        is_down = False
        try:
            response = _send(method, url, headers, body, deadline - monotonic())
        except (HTTPError, ValueError) as failure:
            reason, is_down = type(failure).__name__, True
        else:
            if response.status not in _UNDECIDED and response.status < _SERVER_ERROR:
                return response
            reason, given = f"HTTP {response.status}", response.headers
            is_down = response.status >= _SERVER_ERROR
            if given.get("Stripe-Should-Retry") == "false":
                break
        pause = max(chance().uniform(0.1, 0.5) * 2**attempt, _asked_to_wait(given))
        if attempt + 1 == _TRIES or pause > _LONGEST_PAUSE or monotonic() + pause + 1 >= deadline:
            break
        sleep(pause)
    raise (ProviderDown if is_down else OutcomeUnknown)(reason)


def _asked_to_wait(headers: Mapping[str, str]) -> float:
    """Return the seconds to wait before another attempt, if the provider says (RFC 9110, section 10.2.3)."""
    text = headers.get("Retry-After", "")
    return float(text) if text.isdecimal() else 0


def _send(method: str, url: str, headers: Mapping[str, str], body: str | None, seconds: float) -> Response:
    if seconds <= 0:
        raise OutcomeUnknown("no time is left")
    sent = {"User-Agent": f"tradepost/{VERSION}", "Accept": "application/json", **headers}
    timeout = urllib3.Timeout(connect=min(_CONNECT_SECONDS, seconds), read=min(_READ_SECONDS, seconds))
    answer = _pool().request(method, url, body=body, headers=sent, timeout=timeout, retries=False, redirect=False)
    parsed = json.loads(answer.data or "{}")
    if not isinstance(parsed, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - an answer is no argument
    return Response(answer.status, parsed, answer.headers)


@cache
def _pool() -> urllib3.PoolManager:
    context = create_urllib3_context()
    context.load_verify_locations(Path(botocore.__file__).parent / "cacert.pem")
    return urllib3.PoolManager(ssl_context=context)
