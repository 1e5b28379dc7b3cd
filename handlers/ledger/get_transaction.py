"""GET /v1/ledger/transactions/{txn_id}: get a transaction."""

from domain.common.errors import Contention, NotFound
from domain.identity.permissions import Permission
from domain.ledger.transactions import Transaction
from handlers.dependencies.ledger import Ledger
from handlers.http.route import Route

api = Route()


@api.get(
    "/v1/ledger/transactions/<txn_id>",
    permission=Permission.LEDGER_READ,
    raises=[NotFound, Contention],
)
def get_transaction(txn_id: str, ledger: Ledger) -> Transaction:
    """Get a transaction with its entries."""
    return ledger.transaction(txn_id)


handler = api.handler
