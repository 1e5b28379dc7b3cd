"""Domain events for other systems, written in the transaction of the change that they describe."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class DomainEvent:
    """A change of `subject`. `sequence` numbers the subject's events from 1 without gaps.

    A subject is an id, or a part that changes independently, such as an item's stock: `item_01J…/stock`. `data` is
    plain JSON without personal data.
    """

    kind: str
    subject: str
    sequence: int
    data: dict[str, Any] = field(default_factory=dict)
