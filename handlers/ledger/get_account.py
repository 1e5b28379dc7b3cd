"""GET /v1/ledger/accounts/{account_id}: get an account."""

from domain.common.errors import Contention, NotFound
from domain.identity.permissions import Permission
from domain.ledger.accounts import Account
from handlers.dependencies.ledger import Ledger
from handlers.http.route import Route

api = Route()


@api.get(
    "/v1/ledger/accounts/<account_id>",
    permission=Permission.LEDGER_READ,
    raises=[NotFound, Contention],
)
def get_account(account_id: str, ledger: Ledger) -> Account:
    """Get an account."""
    return ledger.account(account_id)


handler = api.handler
