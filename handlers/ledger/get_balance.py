"""GET /v1/ledger/accounts/{account_id}/balance: get an account's balance."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from domain.common.errors import Contention, NotFound
from domain.common.times import Moment
from domain.identity.permissions import Permission
from domain.ledger.reports import Balance
from handlers.dependencies.ledger import Ledger
from handlers.http.route import Route

api = Route()


@api.get(
    "/v1/ledger/accounts/<account_id>/balance",
    permission=Permission.LEDGER_READ,
    raises=[NotFound, Contention],
)
def get_balance(account_id: str, ledger: Ledger, as_of: Annotated[Moment | None, Query()] = None) -> Balance:
    """Get an account's balance, now or at an instant (`as_of`)."""
    return ledger.balance(account_id, as_of)


handler = api.handler
