"""Sweep for exports that have made no progress: their workers are called again, or they fail."""

from dataclasses import replace
from datetime import datetime, timedelta

from domain.exports import MAX_STALLS, ExportStatus
from domain.identity.permissions import Caller
from repositories.dynamodb import keys
from repositories.dynamodb.iam_actions import IamAction, uses
from repositories.dynamodb.session import Session
from repositories.dynamodb.table import Table
from repositories.dynamodb.transaction import Stale
from repositories.dynamodb.work_keys import DueRow
from repositories.dynamodb.work_list import Swept, Work, sweep
from repositories.exports.repository import end
from repositories.exports.rows import StoredExport

_FIRST = timedelta(hours=1)
"""Time to look back without a mark: there were no exports before the sweep."""


@uses(IamAction.GET, IamAction.PUT, IamAction.UPDATE, IamAction.DUE)
def sweep_exports(table: Table, at: datetime, deadline: float) -> Swept:
    """Call workers of overdue exports again, by a change that the relay sees, until `deadline` (monotonic clock)."""

    def look(row: DueRow) -> bool:
        session = Session(table, Caller.system(keys.tenant_of(row.key.pk)), at, deadline)
        return session.retry_on_conflict(lambda: _look(session, row))

    return sweep(table, Work.EXPORT, look, at, deadline, _FIRST)


def _look(session: Session, row: DueRow) -> bool:
    found = session.table.get(row.key)
    stored = StoredExport.from_row(found) if found else None
    if stored is None or not stored.export.is_open or stored.overdue_at > session.at:
        return False
    if stored.stalls + 1 >= MAX_STALLS:
        end(session, stored, ExportStatus.FAILED, "It made no progress for two hours.")
        return True
    stalled = replace(stored, stalls=stored.stalls + 1, export=stored.export.changed(session.at))
    tx = session.transaction()
    seen = stored.export.version
    tx.put("try again", stalled.to_row(session.tenant), condition="version = :seen", raises=Stale(), seen=seen)
    session.commit_events(tx)
    return True
