"""Functions that AWS services call. Each module declares a `trigger`."""
