"""AWS's public list prices and what they make of the units that are measured.

Prices are for us-east-1, on demand, as of 2026-11-21, without free tiers. Other regions differ.
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
TRACE = 5.00
"""X-Ray, per million traces recorded."""
SCHEDULED_CALL = 1.00
"""EventBridge Scheduler, per million calls."""
FIREWALL_REQUEST = 0.60
"""AWS WAF, per million requests."""

FIREWALL, FIREWALL_RULE = 5.00, 1.00
"""AWS WAF, per web ACL and rule, a month."""
ALARM = 0.10
"""CloudWatch, per metric of an alarm, a month."""
METRIC = 0.30
"""CloudWatch, per custom metric, a month."""
DASHBOARD = 3.00
"""CloudWatch, per dashboard, a month."""
INSIGHTS_RULE = 0.50
"""Contributor Insights, per rule, a month; two rules a table or index in the mode for throttled keys."""
QUEUE_REQUEST = 0.50
"""A million requests to a FIFO queue; 0.40 to another."""
SECRET = 0.40
"""Secrets Manager, per secret, a month."""
SNAPSHOT_GB_SECOND = 0.0000015046
"""SnapStart, per GB-second of cached snapshots."""

MEMORY_GB = 0.5
SECONDS_A_MONTH = 730 * 3600
_SECONDS = 0.05
"""Assumed duration of a warm call: two or three table requests of a few milliseconds each, and the code's own work."""
_LOGGED_GB = 1.5e-6
"""Size of the log lines of one request: the function's and API Gateway's."""


def dollars_a_million(reads: float, writes: float) -> float:
    """Return the cost in dollars of a million requests, each with these read and write units."""
    compute = INVOCATION + 1e6 * MEMORY_GB * _SECONDS * GB_SECOND
    return GATEWAY + compute + reads * READ_UNIT + writes * WRITE_UNIT + 1e6 * _LOGGED_GB * LOG_GB
