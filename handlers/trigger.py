"""What the functions have in common that AWS calls when something happens."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from handlers import imported
from handlers.telemetry import logger
from repositories.access import Access

type Event = dict[str, Any]
type TriggerHandler = Callable[[Event, Any], Any]


class Source(StrEnum):
    """What calls a function."""

    PRE_TOKEN_GENERATION = "preTokenGeneration"  # noqa: S105 - not a password but an occasion
    PRE_SIGN_UP = "preSignUp"
    POST_CONFIRMATION = "postConfirmation"
    POST_AUTHENTICATION = "postAuthentication"
    SECRET_ROTATION = "secretRotation"  # noqa: S105 - likewise


@dataclass(frozen=True, slots=True)
class Trigger:
    """What calls a function, and what its role may do."""

    source: Source
    access: frozenset[Access]
    call: TriggerHandler


def trigger(source: Source, access: Sequence[Access]) -> Callable[[TriggerHandler], Trigger]:
    """Declare a function that `source` calls."""

    def declare(call: TriggerHandler) -> Trigger:
        imported()
        return Trigger(source, frozenset(access), call)

    return declare


def told(occasion: str, **facts: Any) -> None:
    """Write the line of an occasion: ids and tenants, nothing personal."""
    logger().info(occasion, extra=facts)
