"""GET /v1/users/{user_id}/stats: read what a customer has ordered."""

from domain.common.errors import Contention, NotFound
from domain.identity.permissions import Permission
from domain.stats import CustomerStats
from handlers.dependencies.stats import Stats
from handlers.http.route import Route

api = Route()


@api.get("/v1/users/<user_id>/stats", permission=Permission.STATS_READ, raises=[NotFound, Contention])
def get_customer_stats(user_id: str, stats: Stats) -> CustomerStats:
    """Read how many orders a customer has paid and what they spent, less refunds, in each currency.

    Changes are counted within seconds. The time of the last order is that of any order, paid or not.
    """
    return stats.of_customer(user_id)


handler = api.handler
