"""Death of functions, before or after any of their calls to AWS or to a payment provider."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any, Literal

import pytest
from botocore.awsrequest import AWSPreparedRequest
from botocore.httpsession import URLLib3Session

from repositories.aws.clients import dynamodb, s3
from repositories.payments.providers import http

type Death = Literal["before", "after"]


class KilledError(BaseException):
    """The end of a function, which nothing catches."""


class Reaper:
    """Kills the function that makes a call, before or after it."""

    def __init__(self, number: int, when: Death) -> None:
        self.number, self.when, self.calls = number, when, 0

    def __call__[T](self, call: Callable[[], T]) -> T:
        self.calls += 1
        if self.calls - 1 != self.number:
            return call()
        if self.when == "after":
            call()
        raise KilledError

    def before_send(self, request: AWSPreparedRequest, **_: Any) -> None:
        """Let botocore send a request, unless it is the one."""
        if self.calls == self.number:
            self(lambda: _send(request))
        self.calls += 1


@contextmanager
def dying(number: int, when: Death) -> Iterator[Reaper]:
    """Kill the function that makes the call with this number, from 0."""
    reaper, send = Reaper(number, when), http._send
    buses: list[Any] = [client.meta.events for client in (dynamodb(), s3())]
    for bus in buses:
        bus.register("before-send", reaper.before_send)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(http, "_send", lambda *request: reaper(lambda: send(*request)))
        try:
            yield reaper
        finally:
            for bus in buses:
                bus.unregister("before-send", reaper.before_send)


def _send(request: AWSPreparedRequest) -> None:
    with closing(URLLib3Session()) as session:
        session.send(request)
