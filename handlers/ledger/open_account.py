"""POST /v1/ledger/accounts: open an account."""

from domain.common.errors import InvalidState
from domain.identity.permissions import Permission
from domain.ledger.accounts import Account, NewAccount
from handlers.dependencies.ledger import Ledger
from handlers.http.route import Route

api = Route()


@api.post(
    "/v1/ledger/accounts",
    permission=Permission.LEDGER_WRITE,
    status=201,
    raises=[InvalidState],
)
def open_account(new: NewAccount, ledger: Ledger) -> Account:
    """Open an account. 409 if another account has the code."""
    return ledger.open_account(new)


handler = api.handler
