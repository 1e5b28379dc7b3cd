"""The ledger."""

from typing import Annotated

from aws_lambda_powertools.event_handler import Request
from aws_lambda_powertools.event_handler.depends import Depends

from handlers.http.parameters import session_of
from repositories.ledger.repository import LedgerRepository


def _ledger(request: Request) -> LedgerRepository:
    return LedgerRepository(session_of(request))


Ledger = Annotated[LedgerRepository, Depends(_ledger)]
