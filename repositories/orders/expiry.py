"""Expiry of pending orders with holds that have ended, across tenants."""

from datetime import datetime

from domain.common.errors import InvalidState, NotFound
from domain.identity.permissions import Caller
from repositories.dynamodb import keys
from repositories.dynamodb.iam_actions import IamAction, uses
from repositories.dynamodb.session import Session
from repositories.dynamodb.table import Table
from repositories.dynamodb.work_keys import DueRow
from repositories.dynamodb.work_list import Swept, Work, sweep
from repositories.orders.repository import OrderRepository


@uses(IamAction.GET, IamAction.BATCH_GET, IamAction.PUT, IamAction.UPDATE, IamAction.DUE, IamAction.DESCRIBE)
def expire_orders(table: Table, at: datetime, deadline: float) -> Swept:
    """Expire the orders with holds that have ended by `at`, until `deadline` (monotonic clock, seconds)."""

    def expire(due: DueRow) -> bool:
        tenant, order_id = keys.owner_of(due.key)
        session = Session(table, Caller.system(tenant), at, deadline)
        try:
            OrderRepository(session).expire(order_id)
        except (InvalidState, NotFound):
            return False
        return True

    return sweep(table, Work.HOLD, expire, at, deadline)
