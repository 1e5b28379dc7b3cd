"""Events of the last minutes, read consistently: they name what an index does not show yet."""

from collections.abc import Collection
from datetime import timedelta

from domain.common.environment import now
from domain.common.model import to_rfc3339
from repositories.dynamodb import keys
from repositories.dynamodb.session import Session

INDEX_LAG = timedelta(minutes=5)
"""Longer than an index lags behind, and than a function may take before."""
_LAST = "~"
"""Sorts after the keys of all events of a day."""


def recent_subjects(session: Session, kinds: Collection[str], within: timedelta = INDEX_LAG) -> list[str]:
    """Return the subjects of the tenant's events of some kinds within the last minutes, each once."""
    until = now()
    since = until - within
    found: dict[str, None] = {}
    for day in {since.date(): since, until.date(): until}.values():
        for pk in keys.event_pks(session.tenant, day):
            values = {":pk": pk, ":since": to_rfc3339(since), ":last": _LAST}
            for row in session.table.every("pk = :pk AND sk BETWEEN :since AND :last", values):
                found |= {each["subject"]: None for each in row["events"] if each["kind"] in kinds}
    return [*found]
