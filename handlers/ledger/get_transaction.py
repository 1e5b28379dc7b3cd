"""GET /v1/ledger/transactions/{txn_id}: read a transaction."""

from domain.access import Permission
from domain.errors import Contention, NotFound
from domain.ledger import Transaction
from handlers.api import Api
from handlers.ledger import Ledger
from repositories.access import Access

api = Api()


@api.get(
    "/v1/ledger/transactions/<txn_id>",
    permission=Permission.LEDGER_READ,
    access=[Access.GET],
    raises=[NotFound, Contention],
)
def get_transaction(txn_id: str, ledger: Ledger) -> Transaction:
    """Read a transaction."""
    return ledger.transaction(txn_id)


handler = api.handler
