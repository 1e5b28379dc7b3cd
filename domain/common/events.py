"""Domain events for other systems, written in the transaction of the change that they describe."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

LIFETIME = timedelta(days=30)
"""Time for which events are kept."""
FINAL_AFTER = timedelta(seconds=30)
"""Age at which the events of an instant are final: a function ends within 20 seconds of its request, whose time its
events have, so that no transaction can commit an event that is older."""


@dataclass(frozen=True, slots=True)
class DomainEvent:
    """A change of `subject`. `sequence` numbers the subject's events from 1 without gaps.

    A subject is an id, or a part that changes independently, such as an item's stock: `item_01J…/stock`. `data` is
    plain JSON without personal data. `at` is a time that is not before the subject's last event: clocks differ, and
    events are read in the order of their times.
    """

    kind: str
    subject: str
    sequence: int
    data: dict[str, Any] = field(default_factory=dict)
    at: datetime | None = None
