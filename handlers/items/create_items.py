"""POST /v1/items/batch: add up to 100 items, each by itself."""

from typing import Any, Literal

from domain.access import Permission
from domain.errors import DomainError, IdempotencyInProgress
from domain.items import Item, NewItems
from domain.model import Model
from handlers.api import Api
from handlers.items import Items
from handlers.parameters import CallParameter
from handlers.problems import problem_body, problem_of
from repositories.access import Access

api = Api()


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


@api.post(
    "/v1/items/batch",
    permission=Permission.ITEMS_WRITE,
    access=[Access.GET, Access.PUT],
    raises=[IdempotencyInProgress],
)
def create_items(batch: NewItems, items: Items, call: CallParameter) -> BatchResults:
    """Add items; a bad row does not stop the others."""

    def result(index: int, outcome: Item | DomainError) -> CreatedRow | RefusedRow:
        if isinstance(outcome, Item):
            return CreatedRow(index=index, item=outcome)
        problem = problem_body(outcome, call.path, call.request_id)
        return RefusedRow(index=index, status=problem_of(outcome).status, problem=problem)

    def report(outcomes: list[Item | DomainError]) -> BatchResults:
        return BatchResults(results=[result(index, outcome) for index, outcome in enumerate(outcomes)])

    return items.create_all(batch.items, report)


handler = api.handler
