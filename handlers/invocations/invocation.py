"""What an invocation of a function that works on rows begins with."""

from typing import Any

from domain.common.environment import monotonic
from handlers.http.telemetry import logger
from repositories.aws.clients import dynamodb
from repositories.aws.settings import settings
from repositories.dynamodb.table import Meter, Table


def name_log_lines(context: Any) -> None:
    """Put the request id into all log lines of an invocation, and what the previous one named out of them."""
    logger().append_keys(request_id=context.aws_request_id, route=None, tenant=None, sub=None)


def whole_table() -> Table:
    """Return the table with the rows of all tenants."""
    return Table(dynamodb(), settings().table_name, Meter())


def deadline_before(context: Any, reserve_seconds: float) -> float:
    """Return the time (monotonic clock, seconds) that leaves `reserve_seconds` until the invocation ends."""
    return monotonic() + float(context.get_remaining_time_in_millis()) / 1000 - reserve_seconds
