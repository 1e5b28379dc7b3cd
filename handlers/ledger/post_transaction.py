"""POST /v1/ledger/transactions: post a transaction."""

from domain.common.errors import Contention, InsufficientFunds
from domain.identity.permissions import Permission
from domain.ledger.accounts import Transaction
from domain.ledger.reports import NewTransaction
from handlers.dependencies.ledger import Ledger
from handlers.http.route import Api
from repositories.dynamodb.iam_actions import Access

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
