"""Helpers shared by the tests of expiry."""

import time
from collections.abc import Iterator
from datetime import datetime, timedelta

from repositories.dynamodb import keys
from repositories.dynamodb.codec import encode
from repositories.dynamodb.table import Table
from repositories.dynamodb.work_list import Swept, Work
from repositories.orders.expiry import expire_orders
from tests.shop import Shop

QUARTER = timedelta(minutes=15)


def unswept(table: Table) -> Iterator[Table]:
    """Yield a table without the sweeper's mark."""
    key = encode(keys.sweep_mark(Work.HOLD)._asdict())
    table.client.delete_item(TableName=table.name, Key=key)
    yield table
    table.client.delete_item(TableName=table.name, Key=key)


def sweep(table: Table, at: datetime) -> Swept:
    return expire_orders(table, at, time.monotonic() + 20)


def status(shop: Shop, order_id: str) -> str:
    return str(shop.get(f"/orders/{order_id}").json["status"])
