"""Work list of a test: sweeps find what this test's process has put there, and nothing of other tests.

Sweeps over days then look at few partitions.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from domain.common.environment import now
from repositories.aws.clients import dynamodb
from repositories.dynamodb import keys, work_keys
from repositories.dynamodb.codec import encode, new_row
from repositories.dynamodb.work_list import Work


def own_work_list(patch: pytest.MonkeyPatch, *kinds: Work) -> None:
    """Give the test a work list of its own, and let sweeps of these kinds begin two minutes ago."""
    name, filled = uuid4().hex, set[str]()
    due, due_pk, due_pks = work_keys.due, work_keys._due_pk, work_keys.due_pks

    def recorded(kind: str, work_id: str, at: datetime, failures: int = 0) -> dict[str, str]:
        place = due(kind, work_id, at, failures)
        filled.add(place["gsi3pk"])
        return place

    def only_filled(kind: str, minute: datetime) -> Iterator[str]:
        return (pk for pk in due_pks(kind, minute) if pk in filled)

    patch.setattr(work_keys, "_due_pk", lambda kind, minute, shard: f"{due_pk(kind, minute, shard)}#{name}")
    patch.setattr(work_keys, "due", recorded)
    patch.setattr(work_keys, "due_pks", only_filled)
    minute = now().replace(second=0, microsecond=0) - timedelta(minutes=2)
    for kind in kinds:
        mark = new_row(keys.sweep_mark(kind), "sweep", sweep_minute=minute.isoformat())
        dynamodb().put_item(TableName="tradepost", Item=encode(mark))
