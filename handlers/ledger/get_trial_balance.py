"""GET /v1/ledger/trial-balance: get the trial balance."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from domain.common.errors import Contention, InvalidState
from domain.common.times import Moment
from domain.identity.permissions import Permission
from domain.ledger.reports import TrialBalance
from handlers.dependencies.ledger import Ledger
from handlers.http.route import Route

api = Route()


@api.get(
    "/v1/ledger/trial-balance",
    permission=Permission.LEDGER_READ,
    raises=[Contention, InvalidState],
    rate_limit=10,
)
def get_trial_balance(ledger: Ledger, as_of: Annotated[Moment | None, Query()] = None) -> TrialBalance:
    """Get the balance of every account, now or at an instant (`as_of`). 409 if the ledger has too many accounts."""
    return ledger.trial_balance(as_of)


handler = api.handler
