"""Facts that other systems may act on, kept in the transaction that made them true."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to `subject` (an id), whose version it made `sequence`.

    `data` is plain JSON and holds nothing personal.
    """

    kind: str
    subject: str
    sequence: int
    data: dict[str, Any] = field(default_factory=dict)
