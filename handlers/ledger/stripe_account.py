"""POST /v1/ledger/accounts/{account_id}/stripes: spread an account over stripes."""

from domain.access import Permission
from domain.books import Stripes
from domain.errors import Contention, InvalidState, NotFound
from domain.ledger import Account
from handlers.api import Api
from handlers.ledger import Ledger
from repositories.access import Access

api = Api()


@api.post(
    "/v1/ledger/accounts/<account_id>/stripes",
    permission=Permission.LEDGER_WRITE,
    access=[Access.GET, Access.PUT],
    raises=[NotFound, InvalidState, Contention],
)
def stripe_account(account_id: str, stripes: Stripes, ledger: Ledger) -> Account:
    """Spread the entries to come over more chains, so that many postings at once do not wait for each other."""
    return ledger.stripe_account(account_id, stripes.count)


handler = api.handler
