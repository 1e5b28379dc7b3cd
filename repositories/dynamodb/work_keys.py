"""Keys of the work list (gsi3): rows with work that is due, of all tenants, by kind, minute and shard."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from domain.common.model import to_rfc3339
from repositories.dynamodb.keys import SHARDS, Key, Position, shard


class DueRow(NamedTuple):
    """A row with work that is due: its key, its place on the work list, the work's id, and its failures in a row."""

    key: Key
    due: Key
    """Partition and sort key in gsi3."""
    id: str
    failures: int


def due(kind: str, work_id: str, at: datetime, failures: int = 0) -> dict[str, str]:
    """Return the gsi3 attributes of a row with work that is due at `at`: partitioned by kind, minute and shard."""
    sk = Position(to_rfc3339(at), work_id).sk
    return {"gsi3pk": _due_pk(kind, at, shard(work_id)), "gsi3sk": f"{sk}#{failures}" if failures else sk}


def due_pks(kind: str, minute: datetime) -> Iterator[str]:
    """Return the gsi3 partition keys of the work of a kind that is due within a minute, across tenants."""
    return (_due_pk(kind, minute, n) for n in range(SHARDS))


def due_until(at: datetime) -> str:
    """Return an upper bound for the gsi3 sort keys of the work that is due by `at`."""
    return to_rfc3339(at + timedelta(milliseconds=1))


def due_row(row: Mapping[str, Any]) -> DueRow:
    """Return a row of gsi3."""
    work_id, _, failures = row["gsi3sk"].partition("#")[2].partition("#")
    count = int(failures) if failures.isdecimal() else 0
    return DueRow(Key(row["pk"], row["sk"]), Key(row["gsi3pk"], row["gsi3sk"]), work_id, count)


def is_postponed(row: Mapping[str, Any], planned: Mapping[str, Any]) -> bool:
    """Return whether a row is due later than planned because its work failed."""
    if "gsi3pk" not in row or "gsi3pk" not in planned:
        return False
    kind, at = row["gsi3pk"].partition("#")[0], row["gsi3sk"].partition("#")[0]
    now, first = due_row(row), due_row(planned)
    again = due(kind, first.id, datetime.fromisoformat(at), now.failures)
    return now.failures > 0 and now.due == Key(*again.values()) and now.due.sk > first.due.sk


def _due_pk(kind: str, minute: datetime, of_shard: int) -> str:
    return f"{kind}#{minute:%Y-%m-%dT%H:%M}#{of_shard}"
