"""Types shared by the consistency tests."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.shop import Answer, Shop

type Keys = Sequence[tuple[str, str]]
type Act = Callable[[Shop, dict[str, Any]], Answer]


@dataclass(frozen=True)
class Scene:
    """Scenario: preparation, commands, and the other commands that interleave with them."""

    prepare: Callable[[Shop], dict[str, Any]]
    commands: dict[str, Act]
    others: dict[str, Act] = field(default_factory=dict)

    def pairs(self, name: str) -> Iterator[Any]:
        """Yield all pairs of a command and another one, as parameters of a test."""
        for command in self.commands:
            for other in self.others or self.commands:
                yield pytest.param(self, command, other, id=f"{name}-{command}-{other}")

    def other(self, name: str) -> Act:
        return (self.others or self.commands)[name]
