"""Token revocation: tokens of deleted users, and of users with a changed role, become invalid before they expire.

Routes that write check it on each request, with one read. Routes that only read do not, so a revoked token can be used
to read until it expires, an hour at most.
"""

from datetime import datetime, timedelta

from domain.common.errors import Unauthorized
from domain.identity.permissions import Caller
from repositories.dynamodb import keys
from repositories.dynamodb.codec import Row, new_row
from repositories.dynamodb.table import Table
from repositories.dynamodb.transaction import WriteTransaction

TOKEN_LIFETIME = timedelta(hours=1)
"""Lifetime of an ID token, as set for the user pool's client: a revocation need not be kept much longer."""


MARGIN = timedelta(seconds=25)
"""Time after the start of a request during which issued tokens are revoked too: its duration and clock differences.

A token issued in this time may still have the old role. A user who signs in again that soon must sign in once more.
"""


def revoke(tx: WriteTransaction, tenant: str, user_id: str, at: datetime) -> None:
    """Add the step that revokes the tokens of a user, in a request that began at `at`."""
    row = new_row(
        keys.revocation(tenant, user_id),
        "revocation",
        issued_before=int((at + MARGIN).timestamp()),
        ttl=int((at + 2 * TOKEN_LIFETIME).timestamp()),
    )
    tx.put("void older tokens", row)


def check_token(tx: WriteTransaction, caller: Caller, issued_at: int) -> None:
    """Add a step that raises Unauthorized if the caller's token, issued at `issued_at`, has been revoked.

    For writes that must not succeed if the caller lost their rights after the first check: otherwise, two owners who
    demote each other at the same time would leave a tenant without an owner.
    """
    tx.check(
        "check the caller's token",
        keys.revocation(caller.tenant, caller.subject),
        condition="attribute_not_exists(pk) OR issued_before <= :issued_at",
        raises=Unauthorized(),
        issued_at=issued_at,
    )


def require_valid(table: Table, caller: Caller, issued_at: int) -> None:
    """Raise Unauthorized if the caller's token, issued at `issued_at` (seconds since the epoch), has been revoked."""
    require_not_revoked(table.get(keys.revocation(caller.tenant, caller.subject)), issued_at)


def require_not_revoked(row: Row | None, issued_at: int) -> None:
    """Raise Unauthorized if `row`, a user's revocation or None, revokes a token issued at `issued_at`."""
    if row and issued_at < row["issued_before"]:
        raise Unauthorized
