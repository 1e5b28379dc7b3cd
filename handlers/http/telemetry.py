"""One log line a request, which is its metrics too; and, where tracing is on, a trace."""

import logging
import os
from collections.abc import Callable
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger

from domain.common.environment import monotonic, now
from handlers.http.responses import to_json
from repositories.dynamodb.table import Meter

_FIRST_SERVER_ERROR = 500
_METRICS = {
    "Namespace": "Tradepost",
    "Dimensions": [["service", "route"]],
    "Metrics": [{"Name": name, "Unit": "Count"} for name in ("requests", "errors", "read_units", "write_units")]
    + [{"Name": "duration_ms", "Unit": "Milliseconds"}],
}
"""What CloudWatch makes metrics of (the Embedded Metric Format specification).

The directive rides on the request's line, where Powertools' Metrics would write a second one: half the log
volume, which is most of what observing a function costs.
"""

type Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


@cache
def logger() -> Logger:
    """Return the logger: JSON lines, with the keys of the current request on each."""
    # What no line shows need not be found out for each (Python's logging HOWTO, "Optimization").
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    return Logger(
        service="tradepost",
        location=None,
        utc=True,
        use_rfc3339=True,
        serialize_stacktrace=False,
        json_serializer=to_json,
    )


class Telemetry:
    """What is told about one request. Bodies, tokens and e-mail addresses never are."""

    def __init__(self, route: str, request_id: str) -> None:
        self.meter = Meter()
        self.code: str | None = None
        """The code of the problem that was answered, if any."""
        self.replayed: bool | None = None
        """Whether the answer is an earlier one's."""
        self._started = monotonic()
        logger().append_keys(request_id=request_id, route=route, tenant=None, sub=None)

    def caller(self, tenant: str, subject: str) -> None:
        """Name who calls in this request's lines."""
        logger().append_keys(tenant=tenant, sub=subject)

    def finish(self, status: int) -> None:
        """Write the request's line."""
        meter = self.meter
        logger().info(
            "request",
            extra={
                "status": status,
                "code": self.code,
                "replayed": self.replayed,
                "duration_ms": round((monotonic() - self._started) * 1000, 1),
                "read_units": meter.read_units,
                "write_units": meter.write_units,
                "db_requests": meter.requests,
                **_embedded_metrics(status),
            },
        )


def _embedded_metrics(status: int) -> dict[str, Any]:
    if os.environ.get("POWERTOOLS_METRICS_DISABLED") == "true":
        return {}
    directive = {"Timestamp": int(now().timestamp() * 1000), "CloudWatchMetrics": [_METRICS]}
    return {"_aws": directive, "requests": 1, "errors": int(status >= _FIRST_SERVER_ERROR)}


def traced(handler: Handler) -> Handler:
    """Return the handler under X-Ray where the stack says TRACING=on; elsewhere nothing of it is loaded."""
    if os.environ.get("TRACING") != "on":
        return handler
    from aws_lambda_powertools import Tracer

    tracing: Handler = Tracer(service="tradepost").capture_lambda_handler(handler, capture_response=False)
    return tracing
