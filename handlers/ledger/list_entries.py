"""GET /v1/ledger/accounts/{account_id}/entries: list an account's entries."""

from domain.common.errors import Contention, CursorInvalid, NotFound
from domain.common.pages import Page, PageRequest
from domain.identity.permissions import Permission
from domain.ledger.reports import Entry
from handlers.dependencies.ledger import Ledger
from handlers.http.parameters import Cursor, Limit
from handlers.http.route import Route

api = Route()


@api.get(
    "/v1/ledger/accounts/<account_id>/entries",
    permission=Permission.LEDGER_READ,
    raises=[NotFound, CursorInvalid, Contention],
    rate_limit=50,
)
def list_entries(account_id: str, ledger: Ledger, limit: Limit = 50, cursor: Cursor = None) -> Page[Entry]:
    """List an account's entries, newest first."""
    return ledger.entries(account_id, PageRequest(limit, cursor))


handler = api.handler
