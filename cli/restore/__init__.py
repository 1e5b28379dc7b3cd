"""Restore of a deployed stack's table to an earlier moment, under its own name.

CloudFormation cannot exchange a table that functions refer to, so the restored table takes the old one's name: it is
restored next to it and audited, all functions are stopped, the old table is backed up and deleted, and the restored one
is restored again under its name, from a backup. Then settings that a restore leaves out are put back (DynamoDB
developer guide, "Restoring a table": time to live, point-in-time recovery, streams, tags and deletion protection).

Progress and settings are kept in a file, and each step finds out how much of it is done: a restore that was interrupted
goes on where it stopped when the command is given again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cli.restore.plan import Plan
from cli.restore.stack import Stack
from cli.restore.tables import Tables

type Audit = Callable[[str], None]
"""Function that audits a table and raises an exception if it finds an inconsistency."""


@dataclass(frozen=True, slots=True)
class Restore:
    """Restore of the table of `stack` to its state `at` a moment; `file` keeps the progress."""

    stack: Stack
    tables: Tables
    at: datetime
    file: Path
    audit: Audit
    say: Callable[[str], None]

    def rehearse(self) -> Plan:
        """Restore the table next to the present one and audit it. Nothing else is changed."""
        plan = Plan.kept_in(self.file) or self._begin()
        if plan.at != self.at.isoformat():
            raise LookupError(f"{self.file} is of a restore to {plan.at}: finish that one, or --abort it.")
        if plan.account != self.stack.account():
            raise LookupError(f"{self.file} is of a restore in {plan.account}, and this is {self.stack.account()}.")
        if not plan.passed("copy"):
            self.say(f"Restoring {plan.table} as of {plan.at} to {plan.copy} (minutes to hours)")
            self.tables.restore_to_point_in_time(plan.table, plan.copy, self.at)
            self.audit(plan.copy)
        return plan

    def replace(self, plan: Plan) -> None:
        """Replace the present table by the restored one of a rehearsal, while all functions are stopped."""
        if plan.stopped and not plan.passed("audit"):
            # An operator may have started them since the restore was interrupted.
            self.stack.stop(plan.stopped)
        resumed_at = plan.step
        for name, sentence, step in (
            ("stop", "Stopping schedules and functions", self._stop),
            ("back up", "Backing up both tables", self._back_up),
            ("delete", "Deleting the present table", lambda plan: self._delete(plan, resumed=resumed_at == "delete")),
            ("restore", "Restoring under its name (minutes to hours)", self._restore),
            ("settings", "Putting settings back", self._put_settings),
            ("audit", "Auditing", lambda plan: self.audit(plan.table)),
            ("start", "Starting functions and schedules", lambda plan: self.stack.start(plan.stopped)),
        ):
            if plan.passed(name):
                continue
            plan.enter(name)
            self.say(sentence)
            step(plan)
        self.file.unlink()

    def abort(self) -> Plan:
        """Start functions and schedules as they were and forget the restore, before the present table is deleted.

        Raises LookupError if there is no restore, or if it is too late.
        """
        plan = Plan.kept_in(self.file)
        if plan is None:
            raise LookupError(f"There is no restore of {self.stack.name} to abort.")
        if plan.passed("back up"):
            raise LookupError("The present table is deleted or about to be: go on with --replace.")
        if plan.stopped:
            self.stack.start(plan.stopped)
        self.file.unlink()
        return plan

    def _begin(self) -> Plan:
        table = self.stack.table()
        # Named by the moment, so that a copy that an earlier restore left is not taken for this one's.
        copy = f"{table}-{self.at:%Y%m%dT%H%M%S}"
        plan = Plan(self.file, self.stack.account(), self.at.isoformat(), table, copy, self.tables.settings(table))
        plan.save()
        return plan

    def _stop(self, plan: Plan) -> None:
        # Saved before anything is stopped: a restore that goes on must not take the stopped state for the usual one.
        if not plan.stopped:
            plan.stopped = self.stack.state()
            plan.save()
        self.stack.stop(plan.stopped)

    def _back_up(self, plan: Plan) -> None:
        # Anew if it was interrupted here: the present table may have been written to since.
        for table in (plan.table, plan.copy):
            plan.backups[table] = self.tables.back_up(table)
            plan.save()

    def _delete(self, plan: Plan, *, resumed: bool) -> None:
        if resumed and self.tables.exists(plan.table):
            plan.backups[plan.table] = self.tables.back_up(plan.table)
            plan.save()
        lost = [backup for backup in plan.backups.values() if not self.tables.is_available(backup)]
        if lost:
            raise LookupError(f"The table stays, as its backup is not available: {', '.join(lost)}.")
        self.tables.delete(plan.table)

    def _restore(self, plan: Plan) -> None:
        self.tables.restore_from_backup(plan.table, plan.backups[plan.copy])

    def _put_settings(self, plan: Plan) -> None:
        self.tables.put_settings(plan.table, plan.settings)
