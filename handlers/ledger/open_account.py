"""POST /v1/ledger/accounts: open an account."""

from domain.access import Permission
from domain.errors import InvalidState
from domain.ledger import Account, NewAccount
from handlers.api import Api
from handlers.ledger import Ledger
from repositories.access import Access

api = Api()


@api.post(
    "/v1/ledger/accounts",
    permission=Permission.LEDGER_WRITE,
    access=[Access.GET, Access.PUT],
    status=201,
    raises=[InvalidState],
)
def open_account(new: NewAccount, ledger: Ledger) -> Account:
    """Open an account."""
    return ledger.open_account(new)


handler = api.handler
