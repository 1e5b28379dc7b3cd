"""A command that may come twice, and the answer to remember for it."""

from collections.abc import Callable
from dataclasses import dataclass

from pydantic import BaseModel

from domain.common.errors import DomainError


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it went out: status, the headers that belong to it, and the body."""

    status: int
    headers: dict[str, str]
    body: str


@dataclass(frozen=True, slots=True)
class Command:
    """A request with an Idempotency-Key.

    `scope` is a digest of caller, method, path and key; `fingerprint` one of the body. `answer` and `refusal`
    say how a result or an error will look on the wire, so that it can be kept with the effect.
    """

    scope: str
    fingerprint: str
    answer: Callable[[BaseModel], Answer]
    refusal: Callable[[DomainError], Answer]


class Replayed(Exception):
    """The command was carried out before; here is what was answered."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer
