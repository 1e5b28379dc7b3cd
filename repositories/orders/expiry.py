"""Expiry of pending orders with holds that have ended, across tenants.

The progress mark is the minute up to which all due orders have been expired. It never passes an order that is left, so
that a sweep that was stopped, or that failed on one order, finds it again. It stays behind the clock by more than the
index usually lags.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.common.environment import in_parallel, monotonic
from domain.common.errors import InvalidState, NotFound
from domain.identity.permissions import Caller, Role
from domain.orders import SYSTEM
from repositories.dynamodb import keys
from repositories.dynamodb.codec import new_row
from repositories.dynamodb.iam_actions import IamAction, uses
from repositories.dynamodb.keys import DueHold
from repositories.dynamodb.session import Session
from repositories.dynamodb.table import Table
from repositories.orders.repository import OrderRepository

_MINUTE = timedelta(minutes=1)
_MARGIN = timedelta(minutes=2)
_LOOK_BACK = timedelta(minutes=15)
"""Interval at which the last hour is queried again, in case an order appeared in the index after the mark passed it."""
_FAR_BACK = timedelta(minutes=60)
"""Maximum age of a mark to query from, minute by minute. After that the index is scanned, as most of it is due."""


@dataclass(frozen=True, slots=True)
class Swept:
    """Result of a sweep: the number of expired orders, and the orders that could not be expired yet."""

    expired: int
    left: dict[str, str]
    """Reasons by order id."""


@uses(IamAction.GET, IamAction.BATCH_GET, IamAction.PUT, IamAction.UPDATE, IamAction.DUE)
def sweep(table: Table, at: datetime, deadline: float) -> Swept:
    """Expire the orders with holds that have ended by `at`, until `deadline` (monotonic clock, seconds)."""
    due = sorted(_due(table, at))
    done = in_parallel(lambda held: _expired(table, held, at, deadline), due)
    left = {held: why for held, why in zip(due, done, strict=True) if isinstance(why, str)}
    _advance(table, min([at - _MARGIN, *(held.ends_at for held in left)]))
    return Swept(done.count(True), {held.order_id: why for held, why in left.items()})


def _due(table: Table, at: datetime) -> Iterator[DueHold]:
    row = table.get(keys.sweep())
    if row is None or datetime.fromisoformat(row["sweep_minute"]) < at - _FAR_BACK:
        return (held for held in map(keys.due_hold, table.scan("gsi3")) if held.ends_at <= at)
    first = datetime.fromisoformat(row["sweep_minute"])
    if at.minute % (_LOOK_BACK // _MINUTE) == 0:
        first = at - _FAR_BACK
    pks = [pk for minute in _minutes(first, at) for pk in keys.due_pks(minute)]
    return (held for found in in_parallel(lambda pk: _ended(table, pk, at), pks) for held in found)


def _minutes(first: datetime, last: datetime) -> Iterator[datetime]:
    while first <= last:
        yield first
        first += _MINUTE


def _ended(table: Table, pk: str, at: datetime) -> list[DueHold]:
    values = {":pk": pk, ":until": keys.due_until(at)}
    return [keys.due_hold(row) for row in table.all_of("gsi3pk = :pk AND gsi3sk < :until", values, index="gsi3")]


def _expired(table: Table, held: DueHold, at: datetime, deadline: float) -> bool | str:
    """Expire an order and return True; False if it need not be expired, or the reason why it could not be yet."""
    if monotonic() >= deadline:
        return "no time left"
    session = Session(table, Caller(held.tenant, SYSTEM, Role.OWNER), at, deadline)
    try:
        OrderRepository(session).expire(held.order_id)
    except (InvalidState, NotFound):
        return False
    except Exception as failure:  # noqa: BLE001 - an error with one order must not stop the others
        return repr(failure)
    return True


def _advance(table: Table, to: datetime) -> None:
    """Advance the progress mark to the minute of `to`; it never goes back."""
    minute = to.replace(second=0, microsecond=0).isoformat()
    table.put(new_row(keys.sweep(), "sweep", sweep_minute=minute), _IS_LATER, {":minute": minute})


_IS_LATER = "attribute_not_exists(pk) OR sweep_minute < :minute"
