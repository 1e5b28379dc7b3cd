"""One log line, one set of metrics and, where tracing is on, one trace a request."""

import os
import time
from collections.abc import Callable
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from repositories.table import Meter

_FIRST_SERVER_ERROR = 500

type Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


@cache
def logger() -> Logger:
    """Return the logger: JSON lines, with the keys of the current request on each."""
    return Logger(service="tradepost", utc=True, use_rfc3339=True, serialize_stacktrace=False)


class Telemetry:
    """What is told about one request. Bodies, tokens and e-mail addresses never are."""

    def __init__(self, route: str, request_id: str) -> None:
        self.meter = Meter()
        self.code: str | None = None
        """The code of the problem that was answered, if any."""
        self._route = route
        self._started = time.perf_counter()
        logger().append_keys(request_id=request_id, route=route, tenant=None, sub=None)

    def caller(self, tenant: str, subject: str) -> None:
        """Name who calls in this request's lines."""
        logger().append_keys(tenant=tenant, sub=subject)

    def finish(self, status: int) -> None:
        """Write the request's line and metrics."""
        meter = self.meter
        logger().info(
            "request",
            extra={
                "status": status,
                "code": self.code,
                "duration_ms": round((time.perf_counter() - self._started) * 1000, 1),
                "read_units": meter.read_units,
                "write_units": meter.write_units,
                "db_requests": meter.requests,
            },
        )
        metrics = EphemeralMetrics(namespace="Tradepost", service="tradepost")
        metrics.add_dimension("route", self._route)
        metrics.add_metric("Requests", MetricUnit.Count, 1)
        metrics.add_metric("Errors", MetricUnit.Count, int(status >= _FIRST_SERVER_ERROR))
        metrics.add_metric("ReadUnits", MetricUnit.Count, meter.read_units)
        metrics.add_metric("WriteUnits", MetricUnit.Count, meter.write_units)
        metrics.flush_metrics()


def traced(handler: Handler) -> Handler:
    """Return the handler under X-Ray where the stack says TRACING=on; elsewhere nothing of it is loaded."""
    if os.environ.get("TRACING") != "on":
        return handler
    from aws_lambda_powertools import Tracer

    tracing: Handler = Tracer(service="tradepost").capture_lambda_handler(handler, capture_response=False)
    return tracing
