"""GET /v1/ledger/accounts/{account_id}: read an account."""

from domain.access import Permission
from domain.errors import Contention, NotFound
from domain.ledger import Account
from handlers.api import Api
from handlers.ledger import Ledger
from repositories.access import Access

api = Api()


@api.get(
    "/v1/ledger/accounts/<account_id>",
    permission=Permission.LEDGER_READ,
    access=[Access.GET],
    raises=[NotFound, Contention],
)
def get_account(account_id: str, ledger: Ledger) -> Account:
    """Read an account."""
    return ledger.account(account_id)


handler = api.handler
