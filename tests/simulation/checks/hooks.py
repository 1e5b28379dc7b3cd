"""What must hold of webhook endpoints and lanes after every decision."""

from collections import Counter
from dataclasses import dataclass, field

from repositories.dynamodb.codec import Row
from tests.simulation.checks.violation import require
from tests.simulation.world.model import Commit

_DUE = {"gsi3pk", "gsi3sk", "attempt_at"}
_HEALTH = ("failures", "failing_since", "rests_until")


@dataclass(slots=True)
class Hooks:
    """Counts what waits in lanes."""

    waiting: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Events that wait, by partition and subject."""

    def check(self, commit: Commit) -> None:
        """Check a decision. Raises ViolationError."""
        changes = [(key, commit.before[key], row) for key, row in commit.after.items()]
        for (pk, sk), before, row in changes:
            if (row or before or {"type": ""})["type"] == "waiting":
                self.waiting[pk, sk.split("#")[1]] += (row is not None) - (before is not None)
        for (pk, _), before, row in changes:
            if row and before and row["type"] in {"lane", "delivery"}:
                _check_version(before, row)
            if row and row["type"] == "lane":
                self._check_lane(pk, row)
            if row and before and row["type"] == "webhook_endpoint":
                _check_health(before, row)

    def _check_lane(self, pk: str, lane: Row) -> None:
        subject, waiting = lane["subject"], self.waiting[pk, lane["subject"]]
        require(lane["waiting"] == waiting, f"{waiting} events of {subject} wait, and its lane has {lane['waiting']}.")
        require(("gsi3sk" in lane) == (waiting > 0), f"The lane of {subject} is due, or not, with {waiting} events.")


def _check_version(before: Row, row: Row) -> None:
    """Check that a change was made of the row as it was, or of nothing but its place on the work list."""
    was, now = ({name: value for name, value in each.items() if name not in _DUE} for each in (before, row))
    is_next = row["version"] == before["version"] + 1
    require(is_next or was == now, f"A change of {row['sk']} is lost, at version {row['version']}.")


def _check_health(before: Row, row: Row) -> None:
    """Check that a change of settings keeps how an endpoint answers, and that a note of it counts one answer."""
    if row["version"] != before["version"]:
        kept = all(row.get(name) == before.get(name) for name in _HEALTH)
        is_enabled = row["endpoint"]["status"] != before["endpoint"]["status"] and row["failures"] == 0
        require(kept or is_enabled, "A change of an endpoint changed how it answers.")
        return
    require(row["failures"] in {0, before["failures"] + 1}, f"{before['failures']} failures became {row['failures']}.")
