"""Cost of a million requests, from the measured capacity units of one.

Prices: AWS's public price lists for us-east-1, on demand, as of 2026-11-21, without free tiers. Other regions differ.
"""

AS_OF = "2026-11-21, us-east-1"
GATEWAY = 3.50
"""API Gateway REST API, per million requests."""
INVOCATION = 0.20
"""Lambda, per million requests."""
GB_SECOND = 0.0000133334
"""Lambda on arm64, per GB-second."""
READ_UNIT, WRITE_UNIT = 0.125, 0.625
"""DynamoDB on demand, per million."""
LOG_GB = 0.50
"""CloudWatch Logs, per GB ingested."""

_MEMORY_GB = 0.5
_SECONDS = 0.05
"""Assumed duration of a warm call: two or three table requests of a few milliseconds each, and the code's own work."""
_LOGGED_GB = 1.5e-6
"""Size of the log lines of one request: the function's and API Gateway's."""


def dollars_a_million(reads: float, writes: float) -> float:
    """Return the cost in dollars of a million requests, each with these read and write units."""
    compute = INVOCATION + 1e6 * _MEMORY_GB * _SECONDS * GB_SECOND
    return GATEWAY + compute + reads * READ_UNIT + writes * WRITE_UNIT + 1e6 * _LOGGED_GB * LOG_GB
