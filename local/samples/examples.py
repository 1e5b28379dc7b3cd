"""Examples of the API's responses: what each route returns for its sample event, always the same."""

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, get_origin, get_type_hints

from aws_lambda_powertools.event_handler import Response

from domain.common.environment import using
from handlers.registry import RouteFunction, functions
from local.cognito.service import UserPoolService
from local.http.server import settings_for
from local.invocation import invoke
from local.samples.clock import TickingClock
from local.samples.data import add_samples, signed_now
from local.services import services
from local.simulators.banks import simulated

_SAMPLES_AT = datetime(2027, 1, 15, 9, tzinfo=UTC)
"""Time of the sample data: in the future, so that the local database deletes nothing as expired."""
_CALLS_AT = _SAMPLES_AT + timedelta(minutes=10)
"""Time of each call, while the holds of the sample orders last."""
_DOWNLOAD = re.compile(r"http://127\.0\.0\.1:\d+/tradepost-exports/([^?\"]+)\?[^\"]*")
_EXAMPLE_DOWNLOAD = r"https://tradepost-exports.s3.eu-west-1.amazonaws.com/\1?X-Amz-Signature=0123456789abcdef"
"""Download URLs have a signature of the real time."""
_ORDER = ("GET", "POST", "PUT", "PATCH", "DELETE")


class Reproducible(TickingClock):
    """Environment in which every run has the same times and ids: a ticking clock, and one seed."""

    def __init__(self, seed: str, start: datetime) -> None:
        super().__init__(start)
        self.chance = Random(seed)  # noqa: S311 - for examples

    def in_parallel[A, R](self, call: Callable[[A], R], arguments: Iterable[A]) -> list[R]:
        """Return the result of `call` for each argument, one after the other."""
        return [call(argument) for argument in arguments]


def recorded() -> list[tuple[RouteFunction, Any]]:
    """Call each route with its sample event; return the functions and the JSON values that they return.

    All routes share one database with the sample data; routes that read come first, and those that delete last.
    Raises LookupError for a response that is no success.
    """
    os.environ["CURSOR_KEYS"] = os.environ["WEBHOOK_KEY"] = "samples"
    bank = simulated(Random("samples"), _SAMPLES_AT.timestamp)  # noqa: S311 - for examples
    with services(None, bank) as pool:
        settings_for(None)
        with _reproducible(pool, "samples", _SAMPLES_AT):
            add_samples()
        return [
            (function, json.loads(body))
            for function in sorted(functions(), key=lambda each: _ORDER.index(each.declaration.method))
            if (body := _body(function, pool)) and _is_json(function)
        ]


@contextmanager
def _reproducible(pool: UserPoolService, seed: str, start: datetime) -> Iterator[None]:
    """Give what runs in the context, and the ids that the user pool assigns, the times and random numbers of a seed."""
    pool.users.chance = Random(seed)  # noqa: S311 - for examples
    with using(Reproducible(seed, start)):
        yield


def _body(function: RouteFunction, pool: UserPoolService) -> str:
    with _reproducible(pool, function.name, _CALLS_AT):
        response = invoke(function.name, signed_now(json.loads(function.event.read_text())))
    if response["statusCode"] != function.declaration.status:
        raise LookupError(f"{function.name} does not succeed with {function.event}: {response['body']}")
    return _DOWNLOAD.sub(_EXAMPLE_DOWNLOAD, str(response["body"]))


def _is_json(function: RouteFunction) -> bool:
    """Return whether a route returns a JSON value, and not a text such as a page."""
    return get_origin(get_type_hints(function.route.endpoint)["return"]) is not Response


def responses() -> dict[Path, str]:
    """Return the files of the examples: the response of each route, next to its sample event."""
    return {function.response: json.dumps(body, indent=2, ensure_ascii=False) + "\n" for function, body in recorded()}
