"""Fixtures of the order tests."""

from collections.abc import Iterator

import pytest

from repositories.aws.clients import dynamodb
from repositories.dynamodb.table import Meter, Table
from tests.integration.orders.expiring import unswept


@pytest.fixture
def table(database: str) -> Iterator[Table]:
    """Yield the table, without the sweeper's progress mark."""
    yield from unswept(Table(dynamodb(), "tradepost", Meter()))
