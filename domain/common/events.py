"""Facts that other systems may act on, kept in the transaction that made them true."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class DomainEvent:
    """Something that happened to `subject`: the number `sequence` of its events, which count from 1 without gaps.

    A subject is an id, or a part that changes by itself, such as an item's stock: `item_01J…/stock`. `data` is plain
    JSON and holds nothing personal.
    """

    kind: str
    subject: str
    sequence: int
    data: dict[str, Any] = field(default_factory=dict)
