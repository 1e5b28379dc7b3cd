"""Local invocation of functions as in Lambda, with a context that has the remaining time."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from uuid import uuid4

from handlers.invocations.trigger import USUAL, Size
from handlers.registry import all_functions, functions, triggers
from local.iam import role_of
from repositories.dynamodb.iam_actions import IamAction


@dataclass(frozen=True, slots=True)
class LambdaContext:
    """Part of Lambda's context object that functions use."""

    function_name: str
    size: Size = USUAL
    aws_request_id: str = field(default_factory=lambda: str(uuid4()))
    started: float = field(default_factory=time.monotonic)

    @property
    def memory_limit_in_mb(self) -> int:
        """Memory of the function."""
        return self.size.memory_mb

    @property
    def invoked_function_arn(self) -> str:
        """ARN of the function, with a placeholder account."""
        return f"arn:aws:lambda:eu-west-1:000000000000:function:{self.function_name}"

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until Lambda would time out the invocation."""
        return int((self.started + self.size.seconds - time.monotonic()) * 1000)


type LambdaHandler = Callable[[dict[str, Any], Any], Any]


@cache
def _handlers() -> dict[str, tuple[LambdaHandler, frozenset[IamAction]]]:
    routes = {each.name: (each.route.handler, each.iam_actions) for each in functions()}
    return routes | {each.name: (each.trigger.handler, each.iam_actions) for each in triggers()}


@cache
def _sizes() -> dict[str, Size]:
    return {each.name: each.size for each in all_functions()}


def handler_named(name: str) -> LambdaHandler:
    """Return the handler of the function called `name`, such as `CreateItem`. Raises LookupError."""
    return _found(name)[0]


def invoke(name: str, event: dict[str, Any]) -> Any:
    """Return the result of function `name` for `event`, with its role enforced. Raises LookupError if there is none."""
    handler, granted = _found(name)
    with role_of(name, granted):
        return handler(event, LambdaContext(name, _sizes()[name]))


def _found(name: str) -> tuple[LambdaHandler, frozenset[IamAction]]:
    if name not in _handlers():
        raise LookupError(f"There is no function {name}. There are: {', '.join(_handlers())}.")
    return _handlers()[name]
