"""Expiry of bookings with holds that have ended, and the end of those that were checked in, across tenants."""

from datetime import datetime, timedelta

from domain.common.errors import InvalidState, NotFound
from domain.identity.permissions import Caller
from repositories.bookings.repository import BookingRepository
from repositories.dynamodb.iam_actions import IamAction, uses
from repositories.dynamodb.keys import owner_of
from repositories.dynamodb.session import Session
from repositories.dynamodb.table import Table
from repositories.dynamodb.work_keys import DueRow
from repositories.dynamodb.work_list import Swept, Work, sweep

_FIRST = timedelta(days=2)
"""Time before the first sweep of a table that is older than bookings."""


@uses(IamAction.GET, IamAction.BATCH_GET, IamAction.PUT, IamAction.UPDATE, IamAction.DUE, IamAction.DESCRIBE)
def settle_bookings(table: Table, at: datetime, deadline: float) -> Swept:
    """Give bookings the status that time has given them, until `deadline` (monotonic clock, seconds).

    Only the status waits for this: a hold that has ended takes no units.
    """

    def settle(due: DueRow) -> bool:
        tenant, booking_id = owner_of(due.key)
        bookings = BookingRepository(Session(table, Caller.system(tenant), at, deadline))
        try:
            bookings.settle(booking_id)
        except (InvalidState, NotFound):
            return False
        return True

    return sweep(table, Work.BOOKING, settle, at, deadline, first=_FIRST)
