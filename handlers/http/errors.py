"""Errors of the transport: what is wrong with a request before the domain sees it."""

from domain.common.errors import DomainError


class InvalidJson(DomainError):
    """The body is not JSON in UTF-8."""


class IdempotencyKeyRequired(DomainError):
    """The route requires an Idempotency-Key header and there is none."""

    def __init__(self) -> None:
        super().__init__("Send an Idempotency-Key header: 1 to 255 visible ASCII characters.")


class MethodNotAllowed(DomainError):
    """The path exists, but not with this method. `allowed` is the value of the Allow header."""

    def __init__(self, allowed: str) -> None:
        super().__init__(f"This path answers {allowed}.")
        self.allowed = allowed


class PayloadTooLarge(DomainError):
    """The body is larger than the API accepts."""


class PreconditionRequired(DomainError):
    """The route requires an If-Match header and there is none (RFC 6585, section 3)."""

    def __init__(self) -> None:
        super().__init__('Send If-Match with the ETag that you last read, for example If-Match: "3".')


class TooManyRequests(DomainError):
    """The caller exceeds a rate limit or quota of API Gateway or the firewall (RFC 6585, section 4)."""

    def __init__(self) -> None:
        super().__init__("Too many requests. Wait before you try again.")


class UnsupportedMediaType(DomainError):
    """The Content-Type of the body is not one that the route accepts."""
