"""Violations of what must hold."""


class ViolationError(Exception):
    """Something that must hold does not."""


def require(holds: object, what: str) -> None:
    """Raise ViolationError with a sentence unless something holds."""
    if not holds:
        raise ViolationError(what)
