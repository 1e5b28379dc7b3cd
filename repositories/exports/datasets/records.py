"""Records of datasets: columns, their kinds, and how rows of a list become records."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from itertools import batched
from typing import Any, NamedTuple

from domain.common.environment import in_parallel
from domain.exports import ExportSummary
from repositories.dynamodb.codec import Row
from repositories.dynamodb.keys import Key
from repositories.dynamodb.session import Session
from repositories.exports.walking import Stretch

_BATCH = 100


class Kind(StrEnum):
    """Kind of a column's values, which are None or: text, whole numbers, decimals as text, days, times, or lists."""

    TEXT = "text"
    NUMBER = "number"
    MONEY = "money"
    """Exact amount in the currency of the column `currency`, as decimal text with the digits of that currency."""
    RATE = "rate"
    """Exact fraction, such as a tax rate, as decimal text."""
    DAY = "day"
    """Day as `2026-11-21`."""
    TIME = "time"
    """Time in UTC as `2026-11-21T08:00:00.000Z`."""
    ITEMS = "items"
    """List of objects with `product_id` and `quantity`."""


class Column(NamedTuple):
    """A column of a dataset."""

    name: str
    kind: Kind = Kind.TEXT


type Record = tuple[Any, ...]
"""Values in the order of a dataset's columns."""


@dataclass(frozen=True, slots=True)
class Source:
    """What records are made of: access to the table, and the export."""

    session: Session
    export: ExportSummary
    exported_at: str
    """Time at which it is read, for the column of that name."""
    known: dict[str, Any] = field(default_factory=dict)
    """What was read before and is needed again, by id."""

    def wants(self, status: str) -> bool:
        """Return whether records with a status are exported."""
        return self.export.only_status in {None, status}

    def whole_rows(self, listed: Iterable[Row]) -> list[Row]:
        """Return the whole rows of rows of an index, in the same order, without those that are gone."""
        wanted = [Key(row["pk"], row["sk"]) for row in listed]
        found: dict[Key, Row] = {}
        for rows in in_parallel(self.session.table.batch_get, [*batched(wanted, _BATCH, strict=False)]):
            found |= rows
        return [found[key] for key in wanted if key in found]


@dataclass(frozen=True, slots=True)
class Reader:
    """How a dataset is read: its columns, the lists that it walks, and what makes records of their rows."""

    columns: tuple[Column, ...]
    collections: tuple[str, ...]
    """Lists (gsi1)."""
    records: Callable[[Source, Stretch], Iterable[Record]]
    events: frozenset[str]
    """Kinds of events after which an index may show a row late, or in none of the lists."""
    key: Callable[[str, str], Key]
    """Key of the row of a tenant that such an event is about, by the event's subject."""
    earlier: timedelta = timedelta()
    """Time before the beginning of the export at which the walk begins, as rows lead to later things."""

    @property
    def summed(self) -> dict[str, int]:
        """Positions of the columns with amounts, by name."""
        return {column.name: n for n, column in enumerate(self.columns) if column.kind is Kind.MONEY}

    @property
    def currency(self) -> int:
        """Position of the column with the currency of amounts."""
        return [column.name for column in self.columns].index("currency")
