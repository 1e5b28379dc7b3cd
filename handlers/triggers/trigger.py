"""What the functions have in common that AWS calls when something happens."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from handlers import imported
from handlers.http.telemetry import logger
from repositories.dynamodb.iam_actions import Access

type Event = dict[str, Any]
type TriggerHandler = Callable[[Event, Any], Any]


class Source(StrEnum):
    """What calls a function."""

    PRE_TOKEN_GENERATION = "preTokenGeneration"  # noqa: S105 - not a password but an occasion
    PRE_SIGN_UP = "preSignUp"
    POST_CONFIRMATION = "postConfirmation"
    POST_AUTHENTICATION = "postAuthentication"
    SECRET_ROTATION = "secretRotation"  # noqa: S105 - likewise
    SCHEDULE = "schedule"


@dataclass(frozen=True, slots=True)
class Trigger:
    """What calls a function, what its role may do, and how often a schedule calls it (in minutes)."""

    source: Source
    access: frozenset[Access]
    call: TriggerHandler
    every: int = 0


def trigger(source: Source, access: Sequence[Access], every: int = 0) -> Callable[[TriggerHandler], Trigger]:
    """Declare a function that `source` calls; if that is a schedule, `every` so many minutes."""

    def declare(call: TriggerHandler) -> Trigger:
        imported()
        return Trigger(source, frozenset(access), call, every)

    return declare


def told(occasion: str, **facts: Any) -> None:
    """Write the line of an occasion: ids and tenants, nothing personal."""
    logger().info(occasion, extra=facts)
