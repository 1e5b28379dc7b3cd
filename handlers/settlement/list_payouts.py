"""GET /v1/payouts: list payouts."""

from typing import Annotated

from domain.common.errors import CursorInvalid
from domain.common.pages import Page, PageRequest
from domain.identity.permissions import Permission
from domain.payments.settlement import Payout
from handlers.http.dependencies import repository
from handlers.http.parameters import Cursor, Limit
from handlers.http.route import Route
from repositories.payments.accounting.reading import SettlementReader

Settlements = Annotated[SettlementReader, repository(SettlementReader)]
api = Route()


@api.get("/v1/payouts", permission=Permission.LEDGER_READ, raises=[CursorInvalid])
def list_payouts(settlements: Settlements, limit: Limit = 50, cursor: Cursor = None) -> Page[Payout]:
    """List what payment providers have paid out to the bank, newest first."""
    return settlements.payouts(PageRequest(limit, cursor))


handler = api.handler
