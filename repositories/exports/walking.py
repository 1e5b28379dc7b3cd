"""Walk of lists from their oldest entry to their newest, at a limited speed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from domain.common.environment import in_parallel, monotonic, sleep
from repositories.dynamodb import keys
from repositories.dynamodb.codec import Row
from repositories.dynamodb.table import Meter, Table

PAGE = 500
"""Entries that are read of each partition at a time."""
UNITS_PER_SECOND = 1000.0
"""Read units that a part consumes. Four parts of an export consume a third of what a new table on demand serves
(12,000: DynamoDB developer guide, "On-demand mode"), spread over its partitions."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Entries of all partitions after a position up to another, in order; those after it are still to be read."""

    rows: list[Row]
    after: str
    until: str
    more: bool


def walk(
    table: Table, tenant: str, collections: Sequence[str], shards: Sequence[int], after: str, before: str
) -> Iterator[Stretch]:
    """Yield the entries of shards of lists whose sort keys are after `after` and before `before`, oldest first.

    An entry that moves from one list to another during the walk may be found in both, or in none: an index shows that
    it left the one and that it is in the other at different times.
    """
    while after < before:  # a range may begin after its end
        pages = [page for name in collections for page in _pages(table, tenant, name, shards, after, before)]
        ends = [rows[-1]["gsi1sk"] for rows, more in pages if more and rows]
        until = min(ends, default=before)
        found = (row for rows, _ in pages for row in rows if after < row["gsi1sk"] <= until)
        yield Stretch(sorted(found, key=lambda row: str(row["gsi1sk"])), after, until, more=bool(ends))
        if not ends:
            return
        after = until


def _pages(
    table: Table, tenant: str, name: str, shards: Sequence[int], after: str, before: str
) -> list[tuple[list[Row], bool]]:
    def read(shard: int) -> tuple[list[Row], bool]:
        values = {":pk": keys.list_pk(tenant, name, shard), ":after": after or " ", ":before": before}
        page = table.query("gsi1pk = :pk AND gsi1sk BETWEEN :after AND :before", values, index="gsi1", limit=PAGE)
        return page.rows, page.more

    return in_parallel(read, shards)


class Pace:
    """Limit of the read units that are consumed in a second."""

    def __init__(self, meter: Meter, units_per_second: float = UNITS_PER_SECOND) -> None:
        self._meter, self._rate = meter, units_per_second
        self._began, self._before = monotonic(), meter.read_units

    def keep(self) -> None:
        """Wait until what was consumed so far is no more than the limit."""
        due = self._began + (self._meter.read_units - self._before) / self._rate
        wait = due - monotonic()
        if wait > 0:
            sleep(wait)
