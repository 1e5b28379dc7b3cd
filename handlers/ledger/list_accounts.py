"""GET /v1/ledger/accounts: list accounts."""

from domain.common.errors import CursorInvalid
from domain.common.pages import Page, PageRequest
from domain.identity.permissions import Permission
from domain.ledger.accounts import Account
from handlers.dependencies.ledger import Ledger
from handlers.http.parameters import Cursor, Limit
from handlers.http.route import Route

api = Route()


@api.get(
    "/v1/ledger/accounts",
    permission=Permission.LEDGER_READ,
    raises=[CursorInvalid],
)
def list_accounts(ledger: Ledger, limit: Limit = 50, cursor: Cursor = None) -> Page[Account]:
    """List accounts, newest first."""
    return ledger.accounts(PageRequest(limit, cursor))


handler = api.handler
