"""Calling a function as Lambda would: an event in, a response out, a context with the time that is left."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from handlers.registry import functions, triggers

TIMEOUT_SECONDS = 20


@dataclass(frozen=True, slots=True)
class LambdaContext:
    """The part of Lambda's context object that functions use."""

    function_name: str
    aws_request_id: str = field(default_factory=lambda: str(uuid4()))
    memory_limit_in_mb: int = 512
    started: float = field(default_factory=time.monotonic)

    @property
    def invoked_function_arn(self) -> str:
        """The function's ARN, in no account."""
        return f"arn:aws:lambda:eu-west-1:000000000000:function:{self.function_name}"

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until Lambda would end the call."""
        return int((self.started + TIMEOUT_SECONDS - time.monotonic()) * 1000)


def handler_named(name: str) -> Callable[[dict[str, Any], Any], Any]:
    """Return the handler of the function called `name`, such as `CreateItem`. Raises LookupError."""
    handlers: dict[str, Callable[[dict[str, Any], Any], Any]] = {each.name: each.api.handler for each in functions()}
    handlers |= {each.name: each.trigger.call for each in triggers()}
    if name not in handlers:
        raise LookupError(f"There is no function {name}. There are: {', '.join(handlers)}.")
    return handlers[name]


def invoke(name: str, event: dict[str, Any]) -> Any:
    """Return what the function `name` answers to `event`."""
    return handler_named(name)(event, LambdaContext(name))
