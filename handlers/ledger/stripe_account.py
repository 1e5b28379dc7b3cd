"""POST /v1/ledger/accounts/{account_id}/stripes: spread an account's entries over stripes."""

from domain.common.errors import Contention, InvalidState, NotFound
from domain.identity.permissions import Permission
from domain.ledger.accounts import Account, Stripes
from handlers.dependencies.ledger import Ledger
from handlers.http.route import Route

api = Route()


@api.post(
    "/v1/ledger/accounts/<account_id>/stripes",
    permission=Permission.LEDGER_WRITE,
    raises=[NotFound, InvalidState, Contention],
)
def stripe_account(account_id: str, stripes: Stripes, ledger: Ledger) -> Account:
    """Spread an account's future entries over more stripes. Concurrent postings then conflict less.

    Returns the account. 409 if it is closed, has a floor, or already has more stripes.
    """
    return ledger.stripe_account(account_id, stripes.count)


handler = api.handler
