"""Dependency of routes on the ledger."""

from typing import Annotated

from handlers.http.dependencies import repository
from repositories.ledger.repository import LedgerRepository

Ledger = Annotated[LedgerRepository, repository(LedgerRepository)]
