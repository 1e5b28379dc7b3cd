"""GET /v1/ledger/accounts/{account_id}/entries: list an account's entries."""

from domain.access import Permission
from domain.books import Entry
from domain.errors import Contention, CursorInvalid, NotFound
from domain.pages import Page, PageRequest
from handlers.api import Api
from handlers.ledger import Ledger
from handlers.parameters import Cursor, Limit
from repositories.access import Access

api = Api()


@api.get(
    "/v1/ledger/accounts/<account_id>/entries",
    permission=Permission.LEDGER_READ,
    access=[Access.GET, Access.QUERY, Access.SIGN],
    raises=[NotFound, CursorInvalid, Contention],
)
def list_entries(account_id: str, ledger: Ledger, limit: Limit = 50, cursor: Cursor = None) -> Page[Entry]:
    """List an account's entries, newest first."""
    return ledger.entries(account_id, PageRequest(limit, cursor))


handler = api.handler
