"""Rate-limited reads, retries and progress that all parts of an audit share."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from cli.audit.state import BrokenError, State
from repositories.dynamodb import keys, work_keys
from repositories.dynamodb.codec import Row
from repositories.dynamodb.keys import Key
from repositories.dynamodb.table import Table
from repositories.dynamodb.transaction import Stale

PAGE = 100
_PAUSE_SECONDS = 0.1
_LOOKS = 20
"""Maximum attempts of a check that fails, as rows may be in the middle of a change."""


@dataclass(slots=True)
class Reading:
    """Reads of a tenant's rows, at most `rate` read units per second."""

    table: Table
    tenant: str
    state: State
    file: Path
    rate: float
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _started: float = field(init=False)

    def __post_init__(self) -> None:
        self._started = self.clock()

    def enter(self, phase: str) -> None:
        """Start a phase, or resume it if the saved state is in it."""
        if self.state.phase != phase:
            self.state.phase, self.state.place = phase, []
            self.save()

    def save(self) -> None:
        """Save the progress, and wait until the read units so far are within the rate."""
        self.file.write_text(json.dumps(asdict(self.state)))
        ahead = self.table.meter.read_units / self.rate - (self.clock() - self._started)
        if ahead > 0:
            self.sleep(ahead)

    def together(self, wanted: Sequence[Key]) -> dict[Key, Row]:
        """Return the existing rows at up to 100 keys, all as of one moment."""
        while (rows := self.table.snapshot(wanted)) is None:
            self.sleep(_PAUSE_SECONDS)
        return {Key(row["pk"], row["sk"]): row for row in rows}

    def require(self, check: Callable[[], None]) -> None:
        """Repeat a check, which reads afresh each time, until it passes. Raises BrokenError if it never does."""
        for look in range(_LOOKS):
            try:
                return check()
            except (BrokenError, Stale) as broken:
                if look + 1 == _LOOKS:
                    raise BrokenError(str(broken) or "Rows that belong together do not agree.") from None
            self.sleep(_PAUSE_SECONDS)
        return None

    def listed(self, collection: str) -> Iterator[list[Row]]:
        """Yield the pages of a collection's index entries that are there now; save the progress after each page."""
        for pk in keys.list_pks(self.tenant, collection):
            place = self.state.place
            if place and pk < place[0]:
                continue
            after = place[1] if place and place[0] == pk else ""
            newest = self._newest(pk)
            while found := self._page(pk, after, newest):
                yield found
                after = found[-1]["gsi1sk"]
                self.state.place = [pk, after]
                self.save()

    def _newest(self, pk: str) -> str:
        """Return the end of a list. Without it, an audit might never reach the end of a list that grows."""
        found = self.table.query("gsi1pk = :pk", {":pk": pk}, index="gsi1", limit=1, newest_first=True).rows
        return str(found[0]["gsi1sk"]) if found else ""

    def _page(self, pk: str, after: str, newest: str) -> list[Row]:
        if after >= newest:
            return []
        condition = "gsi1pk = :pk AND gsi1sk > :after"
        rows = self.table.query(condition, {":pk": pk, ":after": after or " "}, index="gsi1", limit=PAGE).rows
        return [row for row in rows if row["gsi1sk"] <= newest]


def broken_unless(holds: object, what: str) -> None:
    """Raise BrokenError with this message unless `holds` is true."""
    if not holds:
        raise BrokenError(what)


def require_listed(row: Row, expected: Row, name: str) -> None:
    """Raise BrokenError unless a row has the expected keys in the list indexes and in the index of due work."""
    for index in ("gsi1", "gsi2", "gsi3"):
        there, wanted = ([each.get(f"{index}{part}") for part in ("pk", "sk")] for each in (row, expected))
        place = "on the work list" if index == "gsi3" else "in its list"
        if there != wanted and not (index == "gsi3" and work_keys.is_postponed(row, expected)):
            raise BrokenError(f"{name} is {'not ' if wanted[0] else ''}{place}{'' if wanted[0] else ' by mistake'}.")
