"""POST /v1/ledger/accounts/{account_id}/close: close an account."""

from domain.access import Permission
from domain.errors import Contention, InvalidState, NotFound
from domain.ledger import Account
from handlers.api import Api
from handlers.ledger import Ledger
from repositories.access import Access

api = Api()


@api.post(
    "/v1/ledger/accounts/<account_id>/close",
    permission=Permission.LEDGER_WRITE,
    access=[Access.GET, Access.QUERY, Access.PUT],
    raises=[NotFound, InvalidState, Contention],
)
def close_account(account_id: str, ledger: Ledger) -> Account:
    """Close an account whose balance is zero, for good."""
    return ledger.close_account(account_id)


handler = api.handler
