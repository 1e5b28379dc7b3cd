"""GET /v1/disputes: list disputes."""

from typing import Annotated

from domain.common.errors import CursorInvalid
from domain.common.pages import Page, PageRequest
from domain.identity.permissions import Permission
from domain.payments.settlement import Dispute
from handlers.http.dependencies import repository
from handlers.http.parameters import Cursor, Limit
from handlers.http.route import Route
from repositories.payments.accounting.reading import SettlementReader

Settlements = Annotated[SettlementReader, repository(SettlementReader)]
api = Route()


@api.get("/v1/disputes", permission=Permission.LEDGER_READ, raises=[CursorInvalid])
def list_disputes(settlements: Settlements, limit: Limit = 50, cursor: Cursor = None) -> Page[Dispute]:
    """List disputes of payments, newest first. They are answered on the provider's pages."""
    return settlements.disputes(PageRequest(limit, cursor))


handler = api.handler
