"""POST /v1/ledger/accounts: open an account."""

from domain.common.errors import InvalidState
from domain.identity.permissions import Permission
from domain.ledger.accounts import Account, NewAccount
from handlers.dependencies.ledger import Ledger
from handlers.http.route import Api
from repositories.dynamodb.iam_actions import Access

api = Api()


@api.post(
    "/v1/ledger/accounts",
    permission=Permission.LEDGER_WRITE,
    access=[Access.GET, Access.PUT],
    status=201,
    raises=[InvalidState],
)
def open_account(new: NewAccount, ledger: Ledger) -> Account:
    """Open an account."""
    return ledger.open_account(new)


handler = api.handler
