"""Results of the rows of a batch."""

from typing import Any, Literal

from domain.common.errors import DomainError
from domain.common.model import Model
from domain.items import Item
from handlers.http.problems import problem_body, problem_of
from handlers.http.route import Call


class CreatedRow(Model):
    """A row for which an item was added. `index` is its position in the request, from 0."""

    index: int
    status: Literal[201] = 201
    item: Item


class RefusedRow(Model):
    """A rejected row, with the status and problem document that a request for this row alone would get."""

    index: int
    status: int
    problem: dict[str, Any]


class BatchResults(Model):
    """The result of each row, in the order of the request."""

    results: list[CreatedRow | RefusedRow]


def report(outcomes: list[Item | DomainError], call: Call) -> BatchResults:
    """Return the results of a batch's rows as shown to the client."""
    return BatchResults(results=[_row(index, outcome, call) for index, outcome in enumerate(outcomes)])


def _row(index: int, outcome: Item | DomainError, call: Call) -> CreatedRow | RefusedRow:
    if isinstance(outcome, Item):
        return CreatedRow(index=index, item=outcome)
    problem = problem_body(outcome, call.path, call.request_id)
    return RefusedRow(index=index, status=problem_of(outcome).status, problem=problem)
