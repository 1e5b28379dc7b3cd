"""Tokens that are void before they expire: of users who were deleted, or whose role has changed.

Writes ask for it each time, one read; reads do not, so that a void token reads until it expires, an hour at most.
"""

from datetime import datetime, timedelta

from domain.common.errors import Unauthorized
from domain.identity.permissions import Caller
from repositories.dynamodb import keys
from repositories.dynamodb.codec import Row, new_row
from repositories.dynamodb.table import Table
from repositories.dynamodb.transaction import WriteTransaction

TOKEN_LIFETIME = timedelta(hours=1)
"""Of an ID token, as the user pool's client has it: a revocation need not be kept much longer."""


MARGIN = timedelta(seconds=25)
"""From the request's beginning: as long as it may take, and clocks that differ. A token made meanwhile may still say
what was true before; whoever signs in again so soon does it once more."""


def revoke(tx: WriteTransaction, tenant: str, user_id: str, at: datetime) -> None:
    """Add the step that voids the tokens that a user has, in a request that began at `at`."""
    row = new_row(
        keys.revocation(tenant, user_id),
        "revocation",
        issued_before=int((at + MARGIN).timestamp()),
        ttl=int((at + 2 * TOKEN_LIFETIME).timestamp()),
    )
    tx.put("void older tokens", row)


def check_token(tx: WriteTransaction, caller: Caller, issued_at: int) -> None:
    """Add a check that fails the transaction with Unauthorized if the caller's token has been revoked.

    For writes that a caller who lost their rights after the first check must not make: two owners who demote each
    other at the same time would leave a tenant without an owner.
    """
    tx.check(
        "check the caller's token",
        keys.revocation(caller.tenant, caller.subject),
        condition="attribute_not_exists(pk) OR issued_before <= :issued_at",
        raises=Unauthorized(),
        issued_at=issued_at,
    )


def require_valid(table: Table, caller: Caller, issued_at: int) -> None:
    """Raise Unauthorized if the caller's token, issued at `issued_at` (seconds since the epoch), is void."""
    require_not_revoked(table.get(keys.revocation(caller.tenant, caller.subject)), issued_at)


def require_not_revoked(row: Row | None, issued_at: int) -> None:
    """Raise Unauthorized if a user's revocation, where there is one, makes a token void that was issued then."""
    if row and issued_at < row["issued_before"]:
        raise Unauthorized
