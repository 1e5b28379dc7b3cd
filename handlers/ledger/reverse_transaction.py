"""POST /v1/ledger/transactions/{txn_id}/reverse: reverse a transaction."""

from domain.common.errors import AlreadyReversed, Contention, InsufficientFunds, InvalidState, NotFound
from domain.identity.permissions import Permission
from domain.ledger.transactions import Transaction
from handlers.dependencies.ledger import Ledger
from handlers.http.route import Route

api = Route()


@api.post(
    "/v1/ledger/transactions/<txn_id>/reverse",
    permission=Permission.LEDGER_WRITE,
    status=201,
    location="/v1/ledger/transactions/{id}",
    raises=[NotFound, AlreadyReversed, InvalidState, InsufficientFunds, Contention],
)
def reverse_transaction(txn_id: str, ledger: Ledger) -> Transaction:
    """Reverse a transaction. Posts a transaction with opposite entries and returns it.

    409 if the transaction is already reversed or belongs to an order (refund the order instead), if an account is
    closed, or if a balance would fall below its account's floor.
    """
    return ledger.reverse(txn_id)


handler = api.handler
