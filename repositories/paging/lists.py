"""Lists over an index: one partition, or several shards merged into one order, newest first."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from math import ceil, isqrt
from typing import Self

from domain.common.environment import in_parallel
from domain.common.model import Model, to_rfc3339
from domain.common.pages import Page, PageRequest
from domain.common.times import TimeRange
from repositories.dynamodb import keys
from repositories.dynamodb.codec import Row
from repositories.dynamodb.keys import Key
from repositories.dynamodb.session import Session
from repositories.dynamodb.table import Table
from repositories.paging.cursors import seal, unseal

MAX_EXAMINED = 1000
"""Maximum rows examined for one page of a filtered list; beyond it, a page with a cursor may be short."""
_END = "~"
"""Sorts after every position."""


@dataclass(frozen=True, slots=True)
class Listing:
    """A list: an index, its partitions, a filter, and the sort keys between which it lies.

    `query` identifies the list, so that its cursors are valid for no other.
    """

    table: Table
    index: str
    pks: list[str]
    query: str
    shows: Callable[[Row], bool] | None = None
    since: str = ""
    before: str = _END

    @classmethod
    def of_all(
        cls,
        session: Session,
        collection: str,
        shows: Callable[[Row], bool] | None = None,
        query: str = "",
    ) -> Self:
        """Return the list of a tenant's collection, such as `ITEM`."""
        name = f"{session.tenant}\n{collection}{query}"
        return cls(session.table, "gsi1", keys.list_pks(session.tenant, collection), name, shows)

    def within(self, created: TimeRange) -> "Listing":
        """Return the part of the list that was created within a time range."""
        since = lower_bound(created.start) if created.start else self.since
        before = lower_bound(created.end) if created.end else self.before
        return replace(self, since=since, before=before, query=f"{self.query}\n{since}\n{before}")


def lower_bound(moment: datetime) -> str:
    """Return the smallest sort key from `moment` on. Sort keys have milliseconds, so a finer time is after its own."""
    return to_rfc3339(moment) + (_END if moment.microsecond % 1000 else "")


@dataclass(slots=True)
class _Shard:
    """State of one partition: rows fetched and not yet used, and whether there may be more."""

    listing: Listing
    pk: str
    before: str
    more: bool = True
    rows: deque[Row] = field(default_factory=deque)

    def fetch(self, count: int) -> None:
        """Fetch the next `count` rows."""
        index, since = self.listing.index, self.listing.since
        bounds, values = f"{index}sk < :before", {":pk": self.pk, ":before": self.before}
        if since:
            bounds, values = f"{index}sk BETWEEN :since AND :before", values | {":since": since}
        answered = self.listing.table.query(
            f"{index}pk = :pk AND {bounds}",
            values,
            index=index,
            limit=count + bool(since),
            newest_first=True,
        )
        # BETWEEN includes its bounds, so the row at the cursor may come again.
        self.rows.extend(row for row in answered.rows if row[f"{index}sk"] != self.before)
        self.more = answered.more
        if answered.rows:
            self.before = answered.rows[-1][f"{index}sk"]

    @property
    def dry(self) -> bool:
        """True if its next row is unknown until more rows are fetched."""
        return self.more and not self.rows

    @property
    def newest(self) -> str:
        """The sort key of its next row."""
        return str(self.rows[0][f"{self.listing.index}sk"])


def list_page(listing: Listing, page: PageRequest) -> tuple[list[Row], str | None]:
    """Return a page of a list, newest first, and the cursor of the next page if more rows follow.

    A position is a time and an id. Neither ever changes, so all pages together return each row once, even with
    concurrent writes. Raises CursorInvalid.
    """
    before = listing.before if page.cursor is None else unseal(page.cursor, listing.query)
    examined: list[Row] = []
    shown: list[Row] = []
    for row in _merged(listing, before, page.limit + 1):
        if len(shown) == page.limit or len(examined) == MAX_EXAMINED:
            return shown, seal(examined[-1][f"{listing.index}sk"], listing.query)
        examined.append(row)
        if listing.shows is None or listing.shows(row):
            shown.append(row)
    return shown, None


def whole_rows(listing: Listing, page: PageRequest) -> tuple[list[Row], str | None]:
    """Return a page as `list_page` does, with rows as the table has them; the index may show one that is gone."""
    listed, cursor = list_page(listing, page)
    wanted = [Key(row["pk"], row["sk"]) for row in listed]
    rows = listing.table.batch_get(wanted)
    return [rows[key] for key in wanted if key in rows], cursor


def page_of[M: Model](entries: Sequence[M], page: PageRequest, query: str) -> Page[M]:
    """Return a page of entries that were read at once, in the order in which they were added; the last one first.

    Entries are only ever added. `query` identifies the list, so that its cursors are valid for no other. Raises
    CursorInvalid.
    """
    end = len(entries) if page.cursor is None else int(unseal(page.cursor, query))
    start = max(0, end - page.limit)
    return Page(items=[*reversed(entries[start:end])], next_cursor=seal(str(start), query) if start else None)


def _merged(listing: Listing, before: str, wanted: int) -> Iterator[Row]:
    """Yield the rows of all partitions, newest first; about `wanted` are expected to be used.

    The first query of a partition is for its share and a margin of about two standard deviations, so that a second
    query is rare and four shards cost little more than one.
    """
    shards = [_Shard(listing, pk, before) for pk in listing.pks]
    share = ceil(wanted / len(shards)) + (isqrt(wanted) if len(shards) > 1 else 0)
    in_parallel(lambda shard: shard.fetch(share), shards)
    left = wanted
    while True:
        for shard in shards:
            if shard.dry:
                shard.fetch(ceil(left / len(shards)) + 1)
        candidates = [shard for shard in shards if shard.rows]
        if not candidates:
            return
        yield max(candidates, key=lambda shard: shard.newest).rows.popleft()
        left = left - 1 or wanted
