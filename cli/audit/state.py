"""Progress and running totals of an audit."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from domain.common.environment import now
from domain.common.model import to_rfc3339
from domain.ledger.posting import SETTLED_AFTER


class BrokenError(Exception):
    """Inconsistency found by the audit."""


@dataclass(slots=True)
class State:
    """Progress and running totals of an audit, saved between runs."""

    until: str
    phase: str = "chains"
    place: list[Any] = field(default_factory=list)
    """Position in the phase. Chains: account code, stripe, entry number, balance, time. Other phases: index keys."""
    sums: dict[str, int] = field(default_factory=dict)
    """Debits less credits, by currency."""
    chained: int = 0
    listed: int = 0
    reserved: dict[str, dict[str, int]] = field(default_factory=dict)
    """Units reserved for orders, by item and shard."""
    shipped: dict[str, int] = field(default_factory=dict)
    """Units shipped with orders, by item."""
    used: dict[str, dict[str, int]] = field(default_factory=dict)
    """Uses of discounts by orders, by discount and customer."""
    sales: dict[str, dict[str, int]] = field(default_factory=dict)
    """Figures that were counted of orders, by name."""
    round: int = 0
    differing: dict[str, str] = field(default_factory=dict)
    """Items, discounts and figures that do not match the orders, and the difference."""
    changes: dict[str, list[int]] = field(default_factory=dict)
    """Change counters of their rows at the start of the round."""
    confirmed: dict[str, str] = field(default_factory=dict)
    """Differences in a round in which those rows did not change."""
    checked: dict[str, int] = field(default_factory=dict)

    @classmethod
    def kept_in(cls, file: Path) -> Self:
        """Return the state of the interrupted audit in the file, or of a new one."""
        return cls(**json.loads(file.read_text())) if file.exists() else cls(to_rfc3339(now() - SETTLED_AFTER))
