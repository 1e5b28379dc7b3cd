"""How far an audit has come, and what it has added up so far."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from domain.common.environment import now
from domain.common.model import to_rfc3339
from domain.ledger.posting import SETTLED_AFTER


class BrokenError(Exception):
    """Something that must hold does not."""


@dataclass(slots=True)
class State:
    """How far the audit has come, and what it has added up so far."""

    until: str
    phase: str = "chains"
    place: list[Any] = field(default_factory=list)
    """Chains: code, stripe, number, balance, time. Other phases: the list's partition and position."""
    sums: dict[str, int] = field(default_factory=dict)
    """By currency: debits less credits."""
    chained: int = 0
    listed: int = 0
    reserved: dict[str, dict[str, int]] = field(default_factory=dict)
    """Units that orders hold, by item and shard."""
    shipped: dict[str, int] = field(default_factory=dict)
    """Units that left with orders, by item."""
    round: int = 0
    differing: dict[str, str] = field(default_factory=dict)
    """Items whose stock is not what orders say, and how it differs."""
    changes: dict[str, list[int]] = field(default_factory=dict)
    """How often each shard of those items had changed when the round began."""
    confirmed: dict[str, str] = field(default_factory=dict)
    """How those differed in a round in which nothing changed."""
    checked: dict[str, int] = field(default_factory=dict)

    @classmethod
    def kept_in(cls, file: Path) -> Self:
        """Return the state of an audit that was stopped, or of a new one."""
        return cls(**json.loads(file.read_text())) if file.exists() else cls(to_rfc3339(now() - SETTLED_AFTER))
