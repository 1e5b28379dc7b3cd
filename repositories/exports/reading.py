"""Reading of what a part has: records of a stretch of the list, until it is long enough."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from domain.common.environment import monotonic
from domain.common.model import to_rfc3339
from repositories.dynamodb import keys
from repositories.dynamodb.codec import Row
from repositories.dynamodb.keys import Key
from repositories.dynamodb.session import Session
from repositories.events.recent import recent_subjects
from repositories.exports.datasets.records import Reader, Record, Source
from repositories.exports.rows import Part, StoredExport
from repositories.exports.walking import Pace, Stretch, walk
from repositories.paging.lists import lower_bound

MAX_ROWS = 100_000
"""Rows after which a part ends."""
MAX_VALUES = 3_000_000
"""Values after which it ends, as lists may have many: about 64 MB of text."""
_FIRST = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class PartReading:
    """What was read of a part so far."""

    session: Session
    stored: StoredExport
    part: Part
    reader: Reader
    ends: float
    """Time (monotonic clock, seconds) at which the part ends, however short it is."""
    rows: int = 0
    until: str = ""
    """Position up to which all was read."""
    more: bool = False
    """Whether there is more after it."""
    _values: int = 0
    _sums: dict[str, dict[str, Decimal]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(Decimal)))

    def batches(self) -> Iterator[Sequence[Record]]:
        """Yield batches of records until the part is long enough, or there is no more. Raises Contention."""
        session, export = self.session, self.stored.export
        source = Source(session, export, to_rfc3339(session.at))
        pace = Pace(session.table.meter)
        after = self.part.after or (_start(export.start, self.reader.earlier) if export.start else "")
        collections = self.reader.collections
        before = lower_bound(export.end)
        for stretch in walk(session.table, session.tenant, collections, self.part.shards, after, before):
            records = [*self.reader.records(source, self._completed(stretch))]
            self._count(records)
            self.until, self.more = stretch.until, stretch.more
            yield records
            if self._is_long_enough():
                return
            pace.keep()

    def _completed(self, stretch: Stretch) -> Stretch:
        """Return a stretch with the rows of recent events that indexes have not shown, and each row once."""
        session, lists = self.session, self.reader.collections
        pks = {keys.list_pk(session.tenant, name, shard) for name in lists for shard in self.part.shards}
        rows = {Key(row["pk"], row["sk"]): row for row in stretch.rows}
        recent = (self.reader.key(session.tenant, each) for each in recent_subjects(session, self.reader.events))
        found = session.table.batch_get(key for key in recent if key not in rows)
        rows |= {key: row for key, row in found.items() if _is_within(row, pks, stretch)}
        return replace(stretch, rows=sorted(rows.values(), key=lambda row: str(row["gsi1sk"])))

    @property
    def sums(self) -> dict[str, dict[str, str]]:
        """Sums of amounts by column and currency, as decimal text."""
        return {
            name: {currency: str(total) for currency, total in sorted(totals.items())}
            for name, totals in sorted(self._sums.items())
        }

    def _is_long_enough(self) -> bool:
        return self.rows >= MAX_ROWS or self._values >= MAX_VALUES or monotonic() >= self.ends

    def _count(self, records: Sequence[Record]) -> None:
        self.rows += len(records)
        currency = self.reader.currency
        for record in records:
            self._values += sum(len(value) if isinstance(value, list) else 1 for value in record)
            for name, place in self.reader.summed.items():
                if record[place] is not None:
                    self._sums[name][record[currency]] += Decimal(record[place])


def _start(start: datetime, earlier: timedelta) -> str:
    """Return the position at which the walk of an export with a start begins."""
    return lower_bound(max(start, _FIRST + earlier) - earlier)


def _is_within(row: Row, pks: Collection[str], stretch: Stretch) -> bool:
    return row["gsi1pk"] in pks and stretch.after < row["gsi1sk"] <= stretch.until
