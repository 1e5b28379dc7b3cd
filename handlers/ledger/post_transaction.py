"""POST /v1/ledger/transactions: post a transaction."""

from domain.access import Permission
from domain.books import NewTransaction
from domain.errors import Contention, InsufficientFunds
from domain.ledger import Transaction
from handlers.api import Api
from handlers.ledger import Ledger
from repositories.access import Access

api = Api()


@api.post(
    "/v1/ledger/transactions",
    permission=Permission.LEDGER_WRITE,
    access=[Access.GET, Access.QUERY, Access.PUT],
    status=201,
    raises=[InsufficientFunds, Contention],
    idempotency_key="required",
)
def post_transaction(new: NewTransaction, ledger: Ledger) -> Transaction:
    """Post a transaction: in each currency its debits equal its credits."""
    return ledger.post(new)


handler = api.handler
