"""GET /v1/ledger/transactions: list transactions."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from domain.common.errors import CursorInvalid
from domain.common.pages import Page, PageRequest
from domain.identity.permissions import Permission
from domain.ledger.transactions import TransactionSummary
from handlers.dependencies.ledger import Ledger
from handlers.http.parameters import Cursor, Limit
from handlers.http.route import Route

api = Route()


@api.get(
    "/v1/ledger/transactions",
    permission=Permission.LEDGER_READ,
    raises=[CursorInvalid],
)
def list_transactions(
    ledger: Ledger,
    reference: Annotated[str | None, Query(max_length=100)] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[TransactionSummary]:
    """List transactions, newest first. `reference` limits the list to transactions with that reference."""
    return ledger.transactions(reference, PageRequest(limit, cursor))


handler = api.handler
