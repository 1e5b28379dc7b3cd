"""Tokens that are void before they expire: of users who were deleted, or whose role has changed.

Writes ask for it each time, one read; reads do not, so that a void token reads until it expires, an hour at most.
"""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from domain.access import Caller
from domain.errors import Unauthorized
from repositories import keys
from repositories.rows import Row, new_row
from repositories.table import Table
from repositories.transaction import Transaction

if TYPE_CHECKING:
    from repositories.session import Session

TOKEN_LIFETIME = timedelta(hours=1)
"""Of an ID token, as the user pool's client has it: a revocation need not be kept much longer."""


MARGIN = timedelta(seconds=25)
"""From the request's beginning: as long as it may take, and clocks that differ. A token made meanwhile may still say
what was true before; whoever signs in again so soon does it once more."""


def revoke(tx: Transaction, tenant: str, user_id: str, at: datetime) -> None:
    """Add the step that voids the tokens that a user has, in a request that began at `at`."""
    row = new_row(
        keys.revocation(tenant, user_id),
        "revocation",
        issued_before=int((at + MARGIN).timestamp()),
        ttl=int((at + 2 * TOKEN_LIFETIME).timestamp()),
    )
    tx.write_along("void older tokens", row)


def require_still_valid(tx: Transaction, session: "Session") -> None:
    """Add the step that refuses the transaction if the caller's token has been voided since it was looked at.

    For what must not be done by somebody who lost the right to it meanwhile: two owners who demote each other at once
    would leave none.
    """
    if session.issued_at is not None:
        tx.check(
            "the caller still may",
            keys.revocation(session.tenant, session.caller.subject),
            condition="attribute_not_exists(pk) OR issued_before <= :issued_at",
            refusal=lambda _row: Unauthorized(),
            issued_at=session.issued_at,
        )


def require_valid(table: Table, caller: Caller, issued_at: int) -> None:
    """Raise Unauthorized if the caller's token, issued at `issued_at` (seconds since the epoch), is void."""
    require_not_revoked(table.get(keys.revocation(caller.tenant, caller.subject)), issued_at)


def require_not_revoked(row: Row | None, issued_at: int) -> None:
    """Raise Unauthorized if a user's revocation, where there is one, makes a token void that was issued then."""
    if row and issued_at < row["issued_before"]:
        raise Unauthorized
