"""What can go wrong, in the words of the business. `handlers.http.problems` says how each looks on the wire."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing wrong with a request: a JSON pointer (RFC 6901) to it, a code and a sentence."""

    pointer: str
    code: str
    detail: str


class DomainError(Exception):
    """A request that Tradepost understands and refuses."""

    def __init__(self, detail: str, *flaws: Flaw) -> None:
        super().__init__(detail)
        self.detail = detail
        self.flaws = flaws


class ValidationFailed(DomainError):
    """The input does not have the form that the route asks for."""


class CursorInvalid(DomainError):
    """A cursor that was not made for this list of this tenant, or is too old."""

    def __init__(self) -> None:
        super().__init__("The cursor is not valid for this list, or has expired. Start again without one.")


class Unauthorized(DomainError):
    """Nobody is known to be calling."""

    def __init__(self) -> None:
        super().__init__("Send a valid bearer token.")


class Forbidden(DomainError):
    """The caller is known and may not do this."""


class NotFound(DomainError):
    """There is no such thing, or it is another tenant's: the caller cannot tell which."""

    def __init__(self, what: str = "resource", *flaws: Flaw) -> None:
        super().__init__(f"There is no such {what}.", *flaws)


class OutOfStock(DomainError):
    """Fewer units are free than were asked for."""


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
    """The thing is not in a state from which this can be done."""


class ItemArchived(DomainError):
    """The item is no longer sold or changed."""

    def __init__(self, *flaws: Flaw) -> None:
        super().__init__("The item is archived.", *flaws)


class PriceChanged(DomainError):
    """The item does not cost what the client expects to pay."""

    def __init__(self, *flaws: Flaw) -> None:
        super().__init__("A price is not what you expect. Nothing was reserved.", *flaws)


class InsufficientFunds(DomainError):
    """A balance would fall below its account's floor."""

    def __init__(self, *flaws: Flaw) -> None:
        super().__init__("A balance would fall below its account's floor. Nothing was posted.", *flaws)


class AlreadyReversed(DomainError):
    """The transaction has been reversed before."""

    def __init__(self) -> None:
        super().__init__("The transaction has been reversed before.")


class PreconditionFailed(DomainError):
    """The thing has changed since the caller read it."""

    def __init__(self) -> None:
        super().__init__("It has changed since you read it. Read it again and decide.")


class IdempotencyKeyReused(DomainError):
    """An Idempotency-Key came back with another body."""

    def __init__(self) -> None:
        super().__init__("This Idempotency-Key was used before with another body.")


class IdempotencyInProgress(DomainError):
    """The first request with this Idempotency-Key has not finished."""

    def __init__(self) -> None:
        super().__init__("The first request with this Idempotency-Key is still running.")


class Contention(DomainError):
    """Too many callers changed the same thing at once. Nothing happened."""

    def __init__(self) -> None:
        super().__init__("Too many requests are changing this at once. Nothing happened; try again.")


class Unavailable(DomainError):
    """The table is throttled or out of reach."""

    def __init__(self) -> None:
        super().__init__("The service cannot be reached or is over its limit. Try again shortly.")
