"""Sweep that finds events which were not relayed: the stream keeps records for a day only, and its reader may fail.

It looks at the events since the mark, of all tenants, once they are old enough that the relay would have had them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import batched

from domain.common.environment import in_parallel, monotonic
from domain.common.model import to_rfc3339
from repositories.dynamodb import keys
from repositories.dynamodb.codec import Row, new_row
from repositories.dynamodb.iam_actions import IamAction, uses
from repositories.dynamodb.table import Table
from repositories.events.relay import RELAYED, relay_events

KIND = "RELAY"
"""Name of the sweep's mark."""
RELAYED_WITHIN = timedelta(minutes=10)
"""Age from which an event that was not relayed counts as lost."""
_FIRST = timedelta(hours=1)
"""Time to look back without a mark."""
_BATCH = 100
_AT_ONCE = 8
"""Tenants between two looks at the clock."""
_IS_LATER = "attribute_not_exists(pk) OR swept_until <= :until"


@dataclass(frozen=True, slots=True)
class Found:
    """Result of a sweep."""

    rows: int
    """Rows of events that were relayed now."""
    in_time: bool
    """False if the sweep stopped at its deadline. The next one starts where this one did."""


@uses(IamAction.GET, IamAction.QUERY, IamAction.LIST, IamAction.PUT, IamAction.UPDATE, IamAction.PUBLISH)
def relay_lost(table: Table, at: datetime, deadline: float) -> Found:
    """Relay the events that were lost, until `deadline` (monotonic clock, seconds). Raises the first error at its end.

    A sweep that runs out of time goes on with the same tenant the next time.
    """
    mark = table.get(keys.sweep_mark(KIND)) or {}
    since = datetime.fromisoformat(mark["swept_until"]) if mark else at - _FIRST
    until = datetime.fromisoformat(mark["until"]) if mark.get("after") else at - RELAYED_WITHIN
    sweeping = _Sweeping(table, since, until)
    for tenants in batched(_tenants(table, mark.get("after", "")), _AT_ONCE, strict=False):
        if monotonic() >= deadline:
            return Found(sweeping.found, in_time=False)
        in_parallel(sweeping.relay, tenants)
        if sweeping.error:
            break
        _note(table, {"swept_until": to_rfc3339(since), "until": to_rfc3339(until), "after": tenants[-1]})
    if sweeping.error:
        raise sweeping.error
    _note(table, {"swept_until": to_rfc3339(until)})
    return Found(sweeping.found, in_time=True)


@dataclass(slots=True)
class _Sweeping:
    table: Table
    since: datetime
    until: datetime
    found: int = 0
    error: Exception | None = None

    def relay(self, tenant: str) -> None:
        """Relay what a tenant has lost. An error is kept, so that it does not stop those of others."""
        try:
            for rows in batched(_lost(self.table, tenant, self.since, self.until), _BATCH, strict=False):
                relay_events(self.table, rows)
                self.found += len(rows)
        except Exception as error:  # noqa: BLE001 - see above
            self.error = self.error or error


def _note(table: Table, place: dict[str, str]) -> None:
    row = new_row(keys.sweep_mark(KIND), "sweep", **place)
    table.put(row, _IS_LATER, {":until": place["swept_until"]})


def _tenants(table: Table, after: str) -> list[str]:
    """Return the tenants with larger ids, in order."""
    found = [
        row["head"]["id"] for pk in keys.tenant_pks() for row in table.every("gsi1pk = :pk", {":pk": pk}, index="gsi1")
    ]
    return sorted(each for each in found if each > after)


def _lost(table: Table, tenant: str, since: datetime, until: datetime) -> Iterator[Row]:
    """Yield the rows of a tenant's events between two times that were not relayed."""
    day = since
    while day <= until:
        for pk in keys.event_pks(tenant, day):
            values = {":pk": pk, ":low": to_rfc3339(since), ":high": keys.events_until(to_rfc3339(until))}
            rows = table.every("pk = :pk AND sk BETWEEN :low AND :high", values)
            yield from (row for row in rows if RELAYED not in row)
        day = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
