"""DynamoDB requests and capacity units of each route's sample event, as DynamoDB reports them."""

import io
import json
from collections.abc import Callable, Iterable
from contextlib import redirect_stdout
from random import Random
from typing import NamedTuple

from domain.common.environment import Environment, using
from handlers.registry import RouteFunction, functions
from local.http.server import settings_for
from local.invocation import invoke
from local.samples.data import add_samples, signed_now
from local.services import services
from repositories.aws import clients
from repositories.aws.settings import settings


class _Repeatable(Environment):
    """Environment for repeatable runs: seeded randomness, and no parallel work that could change the order of draws."""

    def __init__(self) -> None:
        self.chance = Random(1)

    def in_parallel[A, R](self, call: Callable[[A], R], arguments: Iterable[A]) -> list[R]:
        """Return the results of `call` for each argument."""
        return [call(argument) for argument in arguments]


class Cost(NamedTuple):
    """Status of a response, and its DynamoDB requests and capacity units as in its headers."""

    status: int
    requests: str
    read_units: str
    write_units: str


def costs() -> dict[str, Cost]:
    """Return the cost of each route's sample event, by method and path.

    The events run in order on one database with the sample data; DELETE routes run last.
    """
    ordered = sorted(functions(), key=lambda function: function.declaration.method == "DELETE")
    with services(), redirect_stdout(io.StringIO()):
        forget_clients()
        settings_for(None)
        add_samples()
        with using(_Repeatable()):
            found = {function.description: _cost(function) for function in ordered}
    forget_clients()
    return found


def _cost(function: RouteFunction) -> Cost:
    response = invoke(function.name, signed_now(json.loads(function.event.read_text())))
    figures = (
        response["multiValueHeaders"][name][0] for name in ("X-Db-Requests", "X-Capacity-Read", "X-Capacity-Write")
    )
    return Cost(response["statusCode"], *figures)


def forget_clients() -> None:
    """Let the next clients be made for the environment of their time."""
    for made in (*clients.ALL, settings):
        made.cache_clear()
