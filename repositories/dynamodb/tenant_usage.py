"""Function time that each tenant uses, so that one of them cannot take the concurrency of the account from the others.

Time is added up in windows of ten seconds. An execution environment counts for itself and adds to the tenant's row only
what is worth a write, so tenants with little traffic cost nothing. A tenant over its limit is refused by each
environment that has seen the row, until the window ends.
"""

from collections import defaultdict
from datetime import datetime, timedelta

from domain.common.errors import Unavailable
from repositories.dynamodb import keys
from repositories.dynamodb.codec import new_row
from repositories.dynamodb.table import Table

WINDOW_SECONDS = 10
_REPORTED_SECONDS = 2.0
"""Function time that is worth a write: Lambda charges 20 times as much for it."""
_REPORTED_SHARE = 0.1
"""The same, as a share of what a tenant may use in a window."""
_REPORTED_SECONDS_WATCHED = 0.1
"""The same for a tenant that was over its limit in the window before."""
_LIFETIME = timedelta(hours=1)


class TenantUsage:
    """Function time used in this execution environment since the current window began."""

    def __init__(self) -> None:
        self._window = 0
        self._unreported: defaultdict[str, float] = defaultdict(float)
        self._over: set[str] = set()
        self._watched: set[str] = set()

    def is_over(self, tenant: str, at: datetime) -> bool:
        """Return whether a tenant is known to have used what it may in the window of `at`."""
        self._enter(at)
        return tenant in self._over

    def add(self, table: Table, tenant: str, seconds: float, at: datetime, concurrency: float) -> None:
        """Add function time; `concurrency` is the number of executions that a tenant may have on average.

        If the row cannot be written now, the time is added later. Raises botocore's ClientError if it never can.
        """
        self._enter(at)
        budget = concurrency * WINDOW_SECONDS
        self._unreported[tenant] += seconds
        if self._unreported[tenant] < self._worth_a_write(tenant, budget):
            return
        row = new_row(
            keys.usage(tenant, self._window * WINDOW_SECONDS),
            "usage",
            used_ms=round(self._unreported[tenant] * 1000),
            ttl=int((at + _LIFETIME).timestamp()),
        )
        try:
            used = table.add(row, "used_ms")
        except Unavailable:
            return
        self._unreported[tenant] = 0.0
        if used > budget * 1000:
            self._over.add(tenant)

    def _worth_a_write(self, tenant: str, budget: float) -> float:
        return min(
            _REPORTED_SECONDS_WATCHED if tenant in self._watched else _REPORTED_SECONDS, budget * _REPORTED_SHARE
        )

    def _enter(self, at: datetime) -> None:
        window = int(at.timestamp()) // WINDOW_SECONDS
        if window != self._window:
            self._watched = self._over if window == self._window + 1 else set()
            self._window, self._over = window, set()
            self._unreported.clear()


usage = TenantUsage()
"""Usage in this execution environment."""
