"""Work list: rows with work that is due, of all tenants, by kind, minute and shard (gsi3).

A sweep walks the minutes of one kind from the kind's mark, which is the minute up to which all work is done. It walks
in chunks and advances the mark after each, so that a sweep that runs out of time has not worked for nothing. A row that
fails becomes due again later, with a count of its failures, so that it never holds up the others. Nothing scans.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import batched, chain

from domain.common.environment import in_parallel, monotonic
from domain.common.errors import Contention
from repositories.dynamodb import keys, work_keys
from repositories.dynamodb.codec import new_row
from repositories.dynamodb.keys import Key
from repositories.dynamodb.table import QueryPage, Table
from repositories.dynamodb.transaction import Stale, WriteTransaction
from repositories.dynamodb.work_keys import DueRow

REPORTED = 5
"""Number of failures from which a row's failure is reported as an error."""
_MINUTE = timedelta(minutes=1)
_MARGIN = timedelta(minutes=2)
"""Distance of the mark from the clock: more than the index usually lags."""
_LOOK_BACK = timedelta(minutes=15)
"""Interval at which the last hour is walked again, in case a row appeared in the index after the mark passed it."""
_LOOKED_BACK = timedelta(minutes=60)
_LONGEST_PAUSE = timedelta(days=1)
"""Longest time after which a row that failed is due again."""
_CHUNK = 60
"""Minutes between two advances of the mark."""
_PAGE = 100
_SLICE = 64
"""Rows that are worked on between two looks at the clock."""
_IS_LATER = "attribute_not_exists(pk) OR sweep_minute < :minute"


class Work(StrEnum):
    """Kinds of work."""

    HOLD = "HOLD"
    """Expiry of a pending order, due when its hold ends."""
    PAYMENT = "PAYMENT"
    """A payment by a provider that is not settled; due when the provider is to be asked."""
    REFUND = "REFUND"
    """A refund whose outcome is not known; due when it is to be asked again."""
    INBOX = "INBOX"
    """An event of a payment provider; due when the message about it was lost."""
    RECONCILE = "RECONCILE"
    """Reconciliation of the books with the balance at a payment provider; due every hour."""
    DELIVERY = "DELIVERY"
    """Attempt to deliver an event to an endpoint, or the next one of a lane; due when it is overdue."""
    BOOKING = "BOOKING"
    """A booking whose hold ends, or one that has been checked in and is done at its end."""
    EXPORT = "EXPORT"
    """An export that is not finished; due when it has made no progress."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Failed attempt at a row's work: the reason, and how often it has failed in a row."""

    reason: str
    count: int


@dataclass(slots=True)
class Swept:
    """Result of a sweep."""

    mark: datetime
    """Minute up to which all work is done."""
    done: int = 0
    """Number of rows on which work was done."""
    failed: dict[str, Failure] = field(default_factory=dict)
    """Failures of rows that are due again later, by the id of the work."""
    left: dict[str, str] = field(default_factory=dict)
    """Reasons why rows could neither be worked on nor be made due later, by id. The mark stays before them."""
    in_time: bool = True
    """False if the sweep stopped at its deadline."""


def sweep(
    table: Table,
    kind: Work,
    do: Callable[[DueRow], bool],
    at: datetime,
    deadline: float,
    first: timedelta | None = None,
) -> Swept:
    """Call `do` for each row of a kind that is due at `at`, until `deadline` (monotonic clock, seconds).

    `do` returns whether there was anything to do. An exception makes the row due again in 2, 4, 8, … minutes. Rows are
    worked on in parallel, those that fail with Contention once more one by one, and a row may be worked on twice if two
    sweeps run at once. Without a mark, it begins `first` before `at`: for kinds that are younger than tables. Raises
    Unavailable.
    """
    return _Sweep(table, kind, do, at, deadline, first).run()


@dataclass(frozen=True, slots=True)
class _Sweep:
    table: Table
    kind: Work
    do: Callable[[DueRow], bool]
    at: datetime
    deadline: float
    first: timedelta | None

    def run(self) -> Swept:
        swept = Swept(self._mark())
        for minutes in batched(self._minutes(swept.mark), _CHUNK, strict=False):
            swept.in_time = self._chunk(minutes, swept)
            if not swept.in_time:
                break
            self._advance(swept, minutes[-1])
        return swept

    def _mark(self) -> datetime:
        """Return the mark; without one, the minute in which the table was created."""
        row = self.table.get(keys.sweep_mark(self.kind))
        if row:
            return datetime.fromisoformat(row["sweep_minute"])
        return _minute(self.at - self.first if self.first else self.table.created_at())

    def _minutes(self, mark: datetime) -> Iterator[datetime]:
        looks_back = self.at.minute % (_LOOK_BACK // _MINUTE) == 0
        minute = min(mark, _minute(self.at - _LOOKED_BACK)) if looks_back else mark
        while minute <= self.at:
            yield minute
            minute += _MINUTE

    def _chunk(self, minutes: Iterable[datetime], swept: Swept) -> bool:
        """Work on the rows of these minutes, a page of each partition at a time. Return False at the deadline."""
        after = dict.fromkeys(chain.from_iterable(work_keys.due_pks(self.kind, minute) for minute in minutes), " ")
        while after:
            if monotonic() >= self.deadline:
                return False
            pages = dict(zip(after, in_parallel(self._page, after.items()), strict=True))
            due = sorted(
                (work_keys.due_row(row) for page in pages.values() for row in page.rows), key=lambda row: row.due.sk
            )
            for rows in batched(due, _SLICE, strict=False):
                if monotonic() >= self.deadline:
                    return False
                self._work_on(rows, swept)
            after = {pk: f"{page.rows[-1]['gsi3sk']} " for pk, page in pages.items() if page.more and page.rows}
        return True

    def _page(self, partition: tuple[str, str]) -> QueryPage:
        """Return the next due rows of a partition, those with a sort key of at least the second value."""
        pk, after = partition
        values = {":pk": pk, ":after": after, ":until": work_keys.due_until(self.at)}
        return self.table.query("gsi3pk = :pk AND gsi3sk BETWEEN :after AND :until", values, index="gsi3", limit=_PAGE)

    def _work_on(self, rows: Sequence[DueRow], swept: Swept) -> None:
        for row, first in zip(rows, in_parallel(self._do, rows), strict=True):
            # Rows of one slice may be in each other's way, such as orders with one discount code.
            again = isinstance(first, Contention) and monotonic() < self.deadline
            match self._settled(row, self._do(row) if again else first):
                case bool(done):
                    swept.done += done
                case Failure() as failure:
                    swept.failed[row.id] = failure
                case why:
                    swept.left[row.id] = why

    def _do(self, row: DueRow) -> bool | Exception:
        """Do the work of a row and return whether there was any, or the exception."""
        try:
            return self.do(row)
        except Exception as failure:  # noqa: BLE001 - a failure with one row must not stop the others
            return failure

    def _settled(self, row: DueRow, outcome: bool | Exception) -> bool | Failure | str:
        """Make a row due later if it failed. Return the outcome, or why the row could not be made due later."""
        if not isinstance(outcome, Exception):
            return outcome
        reason = repr(outcome)
        try:
            is_postponed = self._postpone(row)
        except Exception as failure:  # noqa: BLE001 - see above
            return f"{reason}; {failure!r}"
        return Failure(reason, row.failures + 1) if is_postponed else False

    def _postpone(self, row: DueRow) -> bool:
        """Make a row due later; return False if it has changed and is not due as it was."""
        failures = row.failures + 1
        later = self.at + min(_MINUTE * 2**failures, _LONGEST_PAUSE)
        place = work_keys.due(self.kind, row.id, later, failures)
        return move(self.table, "postpone work", row, place, self.deadline)

    def _advance(self, swept: Swept, done: datetime) -> None:
        """Advance the mark to a minute, but not near the clock and not past rows that are left. It never goes back."""
        mark = min(done, _minute(self.at - _MARGIN))
        if swept.left or mark <= swept.mark:
            return
        minute = mark.isoformat()
        row = new_row(keys.sweep_mark(self.kind), "sweep", sweep_minute=minute)
        self.table.put(row, _IS_LATER, {":minute": minute})
        swept.mark = mark


def move(table: Table, step: str, row: DueRow, place: Mapping[str, str], deadline: float) -> bool:
    """Give a row another place on the work list; return False if it is not at the one where it was found."""
    tx = WriteTransaction(table)
    make_due(tx, step, row.key, row.due.sk, place, raises=Stale())
    try:
        tx.commit(deadline)
    except Stale:
        return False
    return True


def make_due(
    tx: WriteTransaction, step: str, key: Key, seen: str, place: Mapping[str, str], *, raises: Exception
) -> None:
    """Add the step that sets the attributes of a row's place on the work list.

    It raises `raises` unless the row's sort key there is the one that was seen.
    """
    changes = ", ".join(f"{name} = :{name}" for name in place)
    tx.update(step, key, f"SET {changes}", condition="gsi3sk = :due", raises=raises, due=seen, **place)


def _minute(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)
