"""What a million requests cost, from what each was measured to consume.

Prices: AWS's public price lists for us-east-1, on demand, as of 2026-11-21, without free tiers. Other regions differ.
"""

AS_OF = "2026-11-21, us-east-1"
GATEWAY = 3.50
"""API Gateway REST, per million requests."""
INVOCATION = 0.20
GB_SECOND = 0.0000133334
"""Lambda on arm64."""
READ_UNIT, WRITE_UNIT = 0.125, 0.625
"""DynamoDB on demand, per million."""
LOG_GB = 0.50
"""CloudWatch Logs, ingested."""

_MEMORY_GB = 0.5
_SECONDS = 0.05
"""Assumed of a warm call: two or three requests to the table of a few milliseconds each, and our own work."""
_LOGGED_GB = 1.5e-6
"""The function's line and the gateway's."""


def dollars_a_million(reads: float, writes: float) -> float:
    """Return what a million requests cost that consume so many read and write units each."""
    compute = INVOCATION + 1e6 * _MEMORY_GB * _SECONDS * GB_SECOND
    return GATEWAY + compute + reads * READ_UNIT + writes * WRITE_UNIT + 1e6 * _LOGGED_GB * LOG_GB
