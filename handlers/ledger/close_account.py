"""POST /v1/ledger/accounts/{account_id}/close: close an account."""

from domain.common.errors import Contention, InvalidState, NotFound
from domain.identity.permissions import Permission
from domain.ledger.accounts import Account
from handlers.dependencies.ledger import Ledger
from handlers.http.route import Route

api = Route()


@api.post(
    "/v1/ledger/accounts/<account_id>/close",
    permission=Permission.LEDGER_WRITE,
    raises=[NotFound, InvalidState, Contention],
)
def close_account(account_id: str, ledger: Ledger) -> Account:
    """Close an account permanently. 409 if its balance is not zero, if it is closed, or if orders post to it."""
    return ledger.close_account(account_id)


handler = api.handler
