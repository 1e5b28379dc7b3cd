"""What became of each row of a batch."""

from typing import Any, Literal

from domain.common.errors import DomainError
from domain.common.model import Model
from domain.items import Item
from handlers.http.problems import problem_body, problem_of
from handlers.http.route import Call


class CreatedRow(Model):
    """A row that became an item."""

    index: int
    status: Literal[201] = 201
    item: Item


class RefusedRow(Model):
    """A row that did not, and why: the problem that it alone would have been answered."""

    index: int
    status: int
    problem: dict[str, Any]


class BatchResults(Model):
    """What became of each row, in the order of the request."""

    results: list[CreatedRow | RefusedRow]


def report(outcomes: list[Item | DomainError], call: Call) -> BatchResults:
    """Return what to tell the client of each row."""
    return BatchResults(results=[_row(index, outcome, call) for index, outcome in enumerate(outcomes)])


def _row(index: int, outcome: Item | DomainError, call: Call) -> CreatedRow | RefusedRow:
    if isinstance(outcome, Item):
        return CreatedRow(index=index, item=outcome)
    problem = problem_body(outcome, call.path, call.request_id)
    return RefusedRow(index=index, status=problem_of(outcome).status, problem=problem)
