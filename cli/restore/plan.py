"""Progress of a restore, in a file."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

STEPS = ("copy", "stop", "back up", "delete", "restore", "settings", "audit", "start")


@dataclass(slots=True)
class Plan:
    """What a restore needs to know after the table and its settings are gone."""

    file: Path
    account: str
    """Account and region of the stack."""
    at: str
    table: str
    copy: str
    """Name of the table that is restored next to the present one."""
    settings: dict[str, Any]
    stopped: dict[str, Any] = field(default_factory=dict)
    """State of functions and schedules before they were stopped."""
    backups: dict[str, str] = field(default_factory=dict)
    """ARNs of backups by table."""
    step: str = "copy"

    @classmethod
    def kept_in(cls, file: Path) -> Self | None:
        """Return the plan in a file, or None if there is none."""
        return cls(file, **json.loads(file.read_text())) if file.exists() else None

    def save(self) -> None:
        """Write the plan to its file, all of it or nothing."""
        content = asdict(self)
        del content["file"]
        fresh = self.file.with_suffix(".new")
        fresh.write_text(json.dumps(content, indent=2, default=str))
        fresh.replace(self.file)

    def passed(self, step: str) -> bool:
        """Return whether a later step has begun."""
        return STEPS.index(self.step) > STEPS.index(step)

    def enter(self, step: str) -> None:
        """Note that a step begins. Those before it are not done again: the table may be the restored one by then."""
        self.step = step
        self.save()
