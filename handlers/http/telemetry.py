"""Telemetry: one log line per request, read by the stack's metric filters, and a trace if tracing is on."""

import logging
from collections.abc import Callable
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger

from domain.common.environment import monotonic
from handlers.http.responses import to_json
from repositories.aws.clients import SDK_VERSION
from repositories.aws.settings import http_settings
from repositories.dynamodb.table import Meter

type Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


@cache
def logger() -> Logger:
    """Return the logger. It writes JSON lines with the keys of the current request."""
    # Do not collect values that no line shows (Python's logging HOWTO, "Optimization").
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    found = Logger(
        service="tradepost",
        location=None,
        utc=True,
        use_rfc3339=True,
        serialize_stacktrace=False,
        json_serializer=to_json,
    )
    deployed = http_settings()
    if deployed.release:
        found.append_keys(release=deployed.release, function_version=deployed.function_version)
    return found


_only_once = {"botocore": SDK_VERSION}
"""Facts for the line of an environment's first call: Lambda provides the SDK, and changes it."""


class Telemetry:
    """Log line of a request. It never contains bodies, tokens or e-mail addresses."""

    def __init__(self, route: str, request_id: str) -> None:
        self.meter = Meter()
        self.code: str | None = None
        """Code of the problem in the response, if any."""
        self.replayed: bool | None = None
        """Whether the response is the stored response to an earlier request."""
        self._started = monotonic()
        logger().append_keys(request_id=request_id, route=route, tenant=None, sub=None)

    def caller(self, tenant: str, subject: str) -> None:
        """Add the caller's tenant and subject to the log lines of this request."""
        logger().append_keys(tenant=tenant, sub=subject)

    @property
    def seconds(self) -> float:
        """Seconds since the request began."""
        return monotonic() - self._started

    def finish(self, status: int) -> None:
        """Write the log line of the request."""
        meter = self.meter
        logger().info(
            "request",
            extra={
                "status": status,
                "code": self.code,
                "replayed": self.replayed,
                "duration_ms": round(self.seconds * 1000, 1),
                "read_units": meter.read_units,
                "write_units": meter.write_units,
                "db_requests": meter.requests,
                **_only_once,
            },
        )
        _only_once.clear()


def traced(handler: Handler) -> Handler:
    """Return the handler, traced by X-Ray if tracing is on in the stack. Otherwise the tracer is not imported."""
    if http_settings().tracing != "on":
        return handler
    from aws_lambda_powertools import Tracer

    tracing: Handler = Tracer(service="tradepost").capture_lambda_handler(handler, capture_response=False)
    return tracing
