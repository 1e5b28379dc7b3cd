"""What functions that AWS calls have in common."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from handlers import resume_garbage_collection
from handlers.http.telemetry import logger

type LambdaEvent = dict[str, Any]
"""The event of an invocation. Powertools' data classes for these events take a third of a cold start to import."""
type TriggerHandler = Callable[[LambdaEvent, Any], Any]


class TriggerSource(StrEnum):
    """The AWS service, and the occasion, that calls a function."""

    PRE_TOKEN_GENERATION = "preTokenGeneration"  # noqa: S105 - not a password but an occasion
    PRE_SIGN_UP = "preSignUp"
    POST_CONFIRMATION = "postConfirmation"
    POST_AUTHENTICATION = "postAuthentication"
    SECRET_ROTATION = "secretRotation"  # noqa: S105 - likewise
    SCHEDULE = "schedule"


@dataclass(frozen=True, slots=True)
class Trigger:
    """A function that AWS calls, by which source, and for a schedule how often, in minutes."""

    source: TriggerSource
    call: TriggerHandler
    every: int = 0


def trigger(source: TriggerSource, every: int = 0) -> Callable[[TriggerHandler], Trigger]:
    """Declare a function that `source` calls; if that is a schedule, once in `every` minutes."""

    def declare(call: TriggerHandler) -> Trigger:
        resume_garbage_collection()
        return Trigger(source, call, every)

    return declare


def log_occasion(occasion: str, **facts: Any) -> None:
    """Write a log line about what happened, with ids and nothing personal."""
    logger().info(occasion, extra=facts)
