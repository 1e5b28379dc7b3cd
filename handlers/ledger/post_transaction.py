"""POST /v1/ledger/transactions: post a transaction."""

from domain.common.errors import Contention, InsufficientFunds
from domain.identity.permissions import Permission
from domain.ledger.transactions import NewTransaction, Transaction
from handlers.dependencies.ledger import Ledger
from handlers.http.route import Route

api = Route()


@api.post(
    "/v1/ledger/transactions",
    permission=Permission.LEDGER_WRITE,
    status=201,
    raises=[InsufficientFunds, Contention],
    idempotency_key="required",
)
def post_transaction(new: NewTransaction, ledger: Ledger) -> Transaction:
    """Post a transaction. In each currency, total debits must equal total credits.

    Returns the transaction. 409 if a balance would fall below its account's floor.
    """
    return ledger.post(new)


handler = api.handler
