"""HTTP errors, raised before a request reaches the domain."""

from domain.common.errors import DomainError


class InvalidJson(DomainError):
    """The body is not valid JSON in UTF-8."""


class IdempotencyKeyRequired(DomainError):
    """The required Idempotency-Key header is missing."""

    def __init__(self) -> None:
        super().__init__("Send an Idempotency-Key header: 1 to 255 visible ASCII characters.")


class MethodNotAllowed(DomainError):
    """The path does not support this method. `allowed` is the value of the Allow header."""

    def __init__(self, allowed: str) -> None:
        super().__init__(f"This path answers {allowed}.")
        self.allowed = allowed


class PayloadTooLarge(DomainError):
    """The body exceeds the size limit of the API."""


class PreconditionRequired(DomainError):
    """The required If-Match header is missing (RFC 6585, section 3)."""

    def __init__(self) -> None:
        super().__init__('Send If-Match with the ETag that you last read, for example If-Match: "3".')


class TooManyRequests(DomainError):
    """The caller exceeds a rate limit or quota (RFC 6585, section 4): of API Gateway, the firewall or the tenant."""

    def __init__(self) -> None:
        super().__init__("Too many requests. Wait before you try again.")


class UnsupportedMediaType(DomainError):
    """The route does not accept the Content-Type of the body."""
