"""GET /v1/ledger/accounts: list accounts."""

from domain.access import Permission
from domain.errors import CursorInvalid
from domain.ledger import Account
from domain.pages import Page, PageRequest
from handlers.api import Api
from handlers.ledger import Ledger
from handlers.parameters import Cursor, Limit
from repositories.access import Access

api = Api()


@api.get(
    "/v1/ledger/accounts",
    permission=Permission.LEDGER_READ,
    access=[Access.LIST],
    raises=[CursorInvalid],
)
def list_accounts(ledger: Ledger, limit: Limit = 50, cursor: Cursor = None) -> Page[Account]:
    """List accounts, newest first."""
    return ledger.accounts(PageRequest(limit, cursor))


handler = api.handler
