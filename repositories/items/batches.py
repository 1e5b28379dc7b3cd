"""Batches of items that are added in one request."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from pydantic import JsonValue

from domain.common.codes import composed
from domain.common.errors import DomainError
from domain.items import Item


class Batch(NamedTuple):
    """Items of one batch: the time of its first attempt, and the item or the error of each row, in order."""

    started: datetime
    outcomes: list[Item | DomainError]


def by_first_sku(rows: Sequence[dict[str, JsonValue]]) -> tuple[list[int], list[int]]:
    """Return the indexes of the rows that may run in parallel, and of those that repeat the SKU of an earlier row."""
    seen: set[str] = set()
    first: list[int] = []
    repeated: list[int] = []
    for index, row in enumerate(rows):
        sku = composed(row.get("sku"))
        (repeated if isinstance(sku, str) and sku in seen else first).append(index)
        if isinstance(sku, str):
            seen.add(sku)
    return first, repeated
