"""Lists over a sharded index: N queries merged into one order, newest first."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from math import ceil, isqrt

from domain.pages import PageRequest
from repositories import keys
from repositories.cursors import seal, unseal
from repositories.keys import Position
from repositories.parallel import in_parallel
from repositories.rows import Row
from repositories.table import Table

_END = "~"
"""Sorts after every position."""


@dataclass(slots=True)
class _Shard:
    """What is known of one shard: rows fetched and not yet used, and whether there may be more."""

    table: Table
    pk: str
    before: str
    more: bool = True
    rows: deque[Row] = field(default_factory=deque)

    def fetch(self, count: int) -> None:
        """Fetch the next `count` rows."""
        answered = self.table.query(
            "gsi1pk = :pk AND gsi1sk < :before",
            {":pk": self.pk, ":before": self.before},
            index="gsi1",
            limit=count,
            newest_first=True,
        )
        self.rows.extend(answered.rows)
        self.more = answered.more
        if answered.rows:
            self.before = answered.rows[-1]["gsi1sk"]

    @property
    def dry(self) -> bool:
        """Whether it cannot say what its next row is."""
        return self.more and not self.rows


def list_page(
    table: Table, tenant: str, collection: str, page: PageRequest, position_of: Callable[[Row], Position]
) -> tuple[list[Row], str | None]:
    """Return a page of a tenant's collection, newest first, and the cursor of the next one, if any row follows.

    A position is a time and an id, neither of which ever changes, so that walking all pages gives each row
    once, whatever is written meanwhile. Raises CursorInvalid.
    """
    query = f"{tenant}\n{collection}"
    before = unseal(page.cursor, query).sk if page.cursor else _END
    shards = [_Shard(table, keys.list_pk(tenant, collection, n), before) for n in range(keys.SHARDS)]
    rows = _merge(shards, page.limit + 1)
    if len(rows) <= page.limit:
        return rows, None
    return rows[: page.limit], seal(position_of(rows[page.limit - 1]), query)


def _merge(shards: list[_Shard], wanted: int) -> list[Row]:
    """Return the `wanted` newest rows of all shards.

    A shard is first asked for its share and a margin of about two standard deviations, so that a second
    question is rare and four shards cost little more than one.
    """
    share = ceil(wanted / len(shards)) + isqrt(wanted)
    in_parallel(lambda shard: shard.fetch(share), shards)
    merged: list[Row] = []
    while len(merged) < wanted:
        for shard in shards:
            if shard.dry:
                shard.fetch(ceil((wanted - len(merged)) / len(shards)) + 1)
        candidates = [shard for shard in shards if shard.rows]
        if not candidates:
            break
        newest = max(candidates, key=lambda shard: str(shard.rows[0]["gsi1sk"]))
        merged.append(newest.rows.popleft())
    return merged
