"""Declaration and logging of functions that AWS services call."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from domain.common.errors import DomainError
from handlers import end_initialization
from handlers.http.telemetry import logger
from repositories.dynamodb.work_list import REPORTED, Swept, Work

type LambdaEvent = dict[str, Any]
"""Event of an invocation. Not a Powertools data class: importing those takes a third of a cold start."""
type TriggerHandler = Callable[[LambdaEvent, Any], Any]


TRIGGER_FAILED = "trigger failed"
"""Message of the log line about a failure; a metric filter counts it."""
WORK_FAILING = "work keeps failing"
"""Message of the log line about a row of the work list that failed several times; a metric filter counts it."""


class TriggerSource(StrEnum):
    """Source of a call: the AWS service and the occasion."""

    PRE_TOKEN_GENERATION = "preTokenGeneration"  # noqa: S105 - not a password
    PRE_SIGN_UP = "preSignUp"
    POST_CONFIRMATION = "postConfirmation"
    SECRET_ROTATION = "secretRotation"  # noqa: S105 - not a secret
    SCHEDULE = "schedule"
    STREAM = "stream"
    QUEUE = "queue"


class Queue(StrEnum):
    """Queues that call functions."""

    EVENTS = "Events"
    """Rows of events, in order by subject."""
    DELIVERIES = "Deliveries"
    """Attempts to deliver events to webhook endpoints."""
    PAYMENTS = "PaymentEvents"
    """Events that payment providers have sent."""
    EXPORTS = "Exports"
    """Parts of exports that are to be written."""

    @property
    def setting(self) -> str:
        """Name of the setting of functions with the queue's URL."""
        return _QUEUE_SETTINGS[self]


_QUEUE_SETTINGS = {
    Queue.EVENTS: "event_queue",
    Queue.DELIVERIES: "delivery_queue",
    Queue.PAYMENTS: "payment_queue",
    Queue.EXPORTS: "export_queue",
}


@dataclass(frozen=True, slots=True)
class Size:
    """What a function may use."""

    memory_mb: int = 512
    seconds: int = 20
    """Time that a call may take."""
    packages: str = ""
    """Group of packages, beyond those that all functions have, in a zip of its own."""


USUAL = Size()


type Records = Mapping[str, tuple[str, ...]]
"""Records of the table's stream that a function gets: types of rows, each with the changes (`INSERT`, `MODIFY`)."""


@dataclass(frozen=True, slots=True)
class Trigger:
    """Function that an AWS service calls: its source, and what the source needs to know."""

    source: TriggerSource
    call: TriggerHandler
    every: int = 0
    """Interval of a schedule in minutes."""
    records: Records = field(default_factory=dict)
    queue: Queue | None = None
    batch: int = 10
    """Maximum messages of a queue in one call."""
    size: Size = USUAL
    for_tenants: bool = False
    """Whether it works for one tenant at a time, and can reach no other's rows then."""
    reads: str = ""
    """Prefix that the keys of all rows have that it can reach, after the tenant's; events it can add anyway."""
    writes: str = ""
    """The same for rows that it can change, if it can read more."""

    def handler(self, event: LambdaEvent, context: Any) -> Any:
        """Call the function, as Lambda does. Log an exception, unless it refuses what the event asks for."""
        try:
            return self.call(event, context)
        except DomainError:
            raise
        except Exception:
            logger().exception(TRIGGER_FAILED, extra={"source": self.source.value})
            raise


def trigger(source: TriggerSource, **options: Any) -> Callable[[TriggerHandler], Trigger]:
    """Declare a function that `source` calls; for the options, see `Trigger`."""

    def declare(call: TriggerHandler) -> Trigger:
        end_initialization()
        return Trigger(source, call, **options)

    return declare


def log_occasion(occasion: str, **facts: Any) -> None:
    """Write a log line about `occasion`. Pass ids only, no personal data."""
    logger().info(occasion, extra=facts)


def report_sweep(occasion: str, kind: Work, swept: Swept, at: datetime, db_requests: int) -> None:
    """Write a log line about a sweep that began at a time, and what `report_failures` writes."""
    log_occasion(
        occasion,
        overdue=swept.done,
        left=len(swept.left),
        behind_minutes=(at - swept.mark) // timedelta(minutes=1),
        db_requests=db_requests,
    )
    report_failures(kind, swept)


def report_failures(kind: Work, swept: Swept) -> None:
    """Write an error line for each row of a sweep that has failed several times in a row."""
    for work_id, failure in swept.failed.items():
        if failure.count >= REPORTED:
            facts = {"kind": kind.value, "id": work_id, "failures": failure.count, "reason": failure.reason}
            logger().error(WORK_FAILING, extra=facts)
