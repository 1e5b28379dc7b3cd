"""Reading of what a part has: records of a stretch of the list, until it is long enough."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from domain.common.environment import monotonic
from domain.common.model import to_rfc3339
from repositories.dynamodb.session import Session
from repositories.exports.datasets.records import Reader, Record, Source
from repositories.exports.rows import Part, StoredExport
from repositories.exports.walking import Pace, walk
from repositories.paging.lists import lower_bound

MAX_ROWS = 100_000
"""Rows after which a part ends."""
MAX_VALUES = 3_000_000
"""Values after which it ends, as lists may have many: about 64 MB of text."""


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
    more: bool = True
    """Whether there is more after it."""
    _values: int = 0
    _sums: dict[str, dict[str, Decimal]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(Decimal)))

    def batches(self) -> Iterator[Sequence[Record]]:
        """Yield batches of records until the part is long enough, or there is no more. Raises Contention."""
        session, export = self.session, self.stored.export
        source = Source(session, export, to_rfc3339(session.at))
        pace = Pace(session.table.meter)
        after = self.part.after or (lower_bound(export.start - self.reader.earlier) if export.start else "")
        collections = self.reader.collections
        before = lower_bound(export.end)
        for stretch in walk(session.table, session.tenant, collections, self.part.shards, after, before):
            records = [*self.reader.records(source, stretch.rows)]
            self._count(records)
            self.until, self.more = stretch.until, stretch.more
            yield records
            if self._is_long_enough():
                return
            pace.keep()

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
