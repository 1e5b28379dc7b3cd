"""Errors of the domain. `handlers.http.problems` maps each to an HTTP response."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Flaw:
    """One error in a request: a JSON pointer (RFC 6901) to the value, a code and a sentence."""

    pointer: str
    code: str
    detail: str


class DomainError(Exception):
    """Base class of the errors for which a request is rejected."""

    def __init__(self, detail: str, *flaws: Flaw) -> None:
        super().__init__(detail)
        self.detail = detail
        self.flaws = flaws


class ValidationFailed(DomainError):
    """The input does not match the schema or rules of the route."""


class CursorInvalid(DomainError):
    """The cursor was not issued for this list of this tenant, or has expired."""

    def __init__(self) -> None:
        super().__init__("The cursor is not valid for this list, or has expired. Start again without one.")


class Unauthorized(DomainError):
    """Credentials are missing or invalid (401)."""

    def __init__(self, detail: str = "Send a valid bearer token.") -> None:
        super().__init__(detail)


class Forbidden(DomainError):
    """The caller is authenticated but does not have the permission (403)."""


class NotFound(DomainError):
    """The resource does not exist, or belongs to another tenant; callers cannot distinguish the two."""

    def __init__(self, what: str = "resource", *flaws: Flaw) -> None:
        super().__init__(f"There is no such {what}.", *flaws)


class OutOfStock(DomainError):
    """Fewer units are available than requested."""


class SlotTaken(DomainError):
    """Fewer units of a resource are free at the time than wanted."""

    def __init__(self, *flaws: Flaw) -> None:
        super().__init__("Fewer units are free at this time than wanted. Nothing was booked.", *flaws)


class OutsideHours(DomainError):
    """The time does not fit the rules of the resource."""

    def __init__(self, *flaws: Flaw) -> None:
        super().__init__("The resource cannot be booked at this time; `errors` says why.", *flaws)


class DiscountInvalid(DomainError):
    """The discount code cannot be used for the order."""

    def __init__(self, why: str) -> None:
        super().__init__(
            "The discount code cannot be used. Nothing was reserved.", Flaw("/discount_code", "DISCOUNT_INVALID", why)
        )


class RefundTooLarge(DomainError):
    """More units or more money would be refunded than are left."""


class SkuTaken(DomainError):
    """Another item of the tenant has this SKU."""

    def __init__(self, sku: str) -> None:
        super().__init__("Another item has this SKU.", Flaw("/sku", "SKU_TAKEN", f"{sku} belongs to another item."))


class EmailTaken(DomainError):
    """Another user of the tenant has this e-mail address."""

    def __init__(self) -> None:
        super().__init__(
            "Another user has this e-mail address.", Flaw("/email", "EMAIL_TAKEN", "It belongs to another user.")
        )


class InvalidState(DomainError):
    """The state of the resource does not allow the operation."""


class PaymentInProgress(DomainError):
    """A payment or refund of the order is being made at its provider."""


class PaymentDeclined(DomainError):
    """The provider declined the payment. Nothing was charged."""


class ProviderUnavailable(DomainError):
    """A payment provider does not answer. Nothing was charged."""

    def __init__(self) -> None:
        super().__init__("The payment provider does not answer. Nothing was charged; try again shortly.")


class ItemArchived(DomainError):
    """The item is archived: it cannot be ordered or edited."""

    def __init__(self, *flaws: Flaw) -> None:
        super().__init__("The item is archived.", *flaws)


class PriceChanged(DomainError):
    """The price of an item differs from the price that the client expects."""

    def __init__(self, *flaws: Flaw) -> None:
        super().__init__("A price is not what you expect. Nothing was reserved.", *flaws)


class InsufficientFunds(DomainError):
    """A balance would fall below its account's floor."""

    def __init__(self, *flaws: Flaw) -> None:
        super().__init__("A balance would fall below its account's floor. Nothing was posted.", *flaws)


class AlreadyReversed(DomainError):
    """The transaction is already reversed."""

    def __init__(self) -> None:
        super().__init__("The transaction has been reversed before.")


class PreconditionFailed(DomainError):
    """The resource has changed since the caller read it."""

    def __init__(self) -> None:
        super().__init__("It has changed since you read it. Read it again and decide.")


class IdempotencyKeyReused(DomainError):
    """The Idempotency-Key was already used with a different body."""

    def __init__(self) -> None:
        super().__init__("This Idempotency-Key was used before with another body.")


class IdempotencyInProgress(DomainError):
    """The first request with this Idempotency-Key has not finished."""

    def __init__(self) -> None:
        super().__init__("The first request with this Idempotency-Key is still running.")


class Contention(DomainError):
    """Retries were exhausted because of concurrent changes. Nothing was written."""

    def __init__(self) -> None:
        super().__init__("Too many requests are changing this at once. Nothing happened; try again.")


class Unavailable(DomainError):
    """A required service is throttled or unreachable."""

    def __init__(self) -> None:
        super().__init__("The service cannot be reached or is over its limit. Try again shortly.")
