"""Rebuilding of a tenant's figures from its orders, while trade goes on.

A new generation of figures is begun; from then on events are counted into both. Functions that read the old state of
things have ended half a minute later. Then all orders are counted, each as far as events have not done it, and the new
generation is shown. Every step can be repeated after a crash.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain

from domain.common.events import FINAL_AFTER
from repositories.dynamodb import keys
from repositories.dynamodb.codec import Row, new_row
from repositories.dynamodb.keys import Key
from repositories.dynamodb.session import Session
from repositories.dynamodb.transaction import Stale
from repositories.events.recent import recent_subjects
from repositories.orders.rows import COLLECTION
from repositories.stats import keys as stats_keys
from repositories.stats.counting import COUNTED, count_order, shown_generation

SETTLED_AFTER = FINAL_AFTER
"""Time after the beginning of a generation from which all functions count into it."""
_RECENT = timedelta(hours=1)
"""Time for which an index may lag behind."""


@dataclass(frozen=True, slots=True)
class Rebuilding:
    """Rebuilding of the figures of the session's tenant."""

    session: Session

    def begin(self) -> int:
        """Begin a new generation, unless one has been begun; return its number. Raises Contention."""
        return self.session.retry_on_conflict(self._begin)

    def _begin(self) -> int:
        row = self._row()
        generation = shown_generation(row)
        if row is None or not row["rebuilding"]:
            self._put(row, generation, rebuilding=True)
        return generation + 1

    def count(self) -> Iterator[str]:
        """Count all orders, and yield the id of each. Raises Contention.

        Orders that were counted lately come from their events too: an index may show an order late.
        """
        for order in chain(self._orders(), recent_subjects(self.session, COUNTED, _RECENT)):
            count_order(self.session, order)
            yield order

    def finish(self, generation: int) -> None:
        """Show the generation that was counted, unless that was done before. Raises Contention."""
        self.session.retry_on_conflict(lambda: self._finish(generation))

    def _finish(self, generation: int) -> None:
        row = self._row()
        if row is not None and row["rebuilding"] and shown_generation(row) + 1 == generation:
            self._put(row, generation, rebuilding=False)

    def clean(self, generation: int, since: datetime) -> Iterator[Key]:
        """Delete the figures of a generation that has not been shown for half a minute; yield the key of each row."""
        tenant = self.session.tenant
        pks = stats_keys.sales_pks(tenant, generation, since.date(), self.session.at.date() + timedelta(days=31))
        customers = {row["head"]["customer_id"] for row in self._listed()}
        pks += [stats_keys.spending_pk(tenant, generation, each) for each in customers]
        for pk in pks:
            for row in self.session.table.whole_partition(pk):
                key = Key(row["pk"], row["sk"])
                tx = self.session.transaction()
                tx.delete("forget old figures", key)
                tx.commit(self.session.deadline)
                yield key

    def _orders(self) -> Iterator[str]:
        return (row["head"]["id"] for row in self._listed())

    def _listed(self) -> Iterator[Row]:
        for pk in keys.list_pks(self.session.tenant, COLLECTION):
            yield from self.session.table.every("gsi1pk = :pk", {":pk": pk}, index="gsi1")

    def _row(self) -> Row | None:
        return self.session.table.get(stats_keys.stats(self.session.tenant))

    def _put(self, before: Row | None, generation: int, *, rebuilding: bool) -> None:
        row = new_row(stats_keys.stats(self.session.tenant), "stats", generation=generation, rebuilding=rebuilding)
        tx = self.session.transaction()
        if before is None:
            tx.create("note the generation", row, raises=Stale())
        else:
            tx.put(
                "note the generation",
                row,
                condition="generation = :seen AND rebuilding = :before",
                raises=Stale(),
                seen=before["generation"],
                before=before["rebuilding"],
            )
        tx.commit(self.session.deadline)
