"""Functions that AWS calls when something happens. Each module declares a `trigger`."""
