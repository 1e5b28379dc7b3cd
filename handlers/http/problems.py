"""HTTP responses to errors as problem+json (RFC 9457). `PROBLEMS` is the only table of them."""

from collections.abc import Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError

from domain.common import errors
from domain.common.errors import DomainError, Flaw
from domain.common.validation import flaw, invalid_input
from handlers.http import errors as transport
from handlers.http.responses import to_json
from repositories.dynamodb.idempotency import StoredResponse

CONTENT_TYPE = "application/problem+json"
_IN_URIS = "/:@!$&'()*+,;="
"""Characters besides letters, digits and `-._~` that a path may have unencoded (RFC 3986, section 3.3)."""
_RETRY_AFTER_SECONDS = "1"
MAX_FLAWS = 100
"""Maximum number of flaws in a problem document: a body of 256 KB could cause tens of thousands."""


class Problem(NamedTuple):
    """HTTP status, code and title of a type of error."""

    status: int
    code: str
    title: str

    @property
    def type(self) -> str:
        """URI of the problem type."""
        return f"urn:tradepost:problem:{self.code.lower().replace('_', '-')}"

    @property
    def kept(self) -> bool:
        """Whether this error is stored as the final response to an Idempotency-Key."""
        return self.status in {402, 404, 409} and self.code not in {"CONTENTION", "IDEMPOTENCY_IN_PROGRESS"}

    @property
    def replaced(self) -> bool:
        """Whether the idempotency record, if there is one, decides the response instead: replay or conflict.

        Not for callers who are unauthenticated, lack the permission or should retry.
        """
        return not self.kept and not self.retryable and self.status not in {401, 403}

    @property
    def retryable(self) -> bool:
        """Whether the client should retry the same request soon (Retry-After)."""
        return self.status in {429, 503} or self.code == "IDEMPOTENCY_IN_PROGRESS"


INTERNAL_ERROR = Problem(500, "INTERNAL_ERROR", "Internal error")

PROBLEMS: dict[type[DomainError], Problem] = {
    transport.InvalidJson: Problem(400, "INVALID_JSON", "The body is not JSON"),
    errors.ValidationFailed: Problem(400, "VALIDATION_ERROR", "The request is not valid"),
    errors.CursorInvalid: Problem(400, "CURSOR_INVALID", "The cursor is not valid"),
    transport.IdempotencyKeyRequired: Problem(400, "IDEMPOTENCY_KEY_REQUIRED", "An Idempotency-Key is required"),
    errors.Unauthorized: Problem(401, "UNAUTHORIZED", "Unauthorized"),
    errors.Forbidden: Problem(403, "FORBIDDEN", "Forbidden"),
    errors.NotFound: Problem(404, "NOT_FOUND", "Not found"),
    transport.MethodNotAllowed: Problem(405, "METHOD_NOT_ALLOWED", "Method not allowed"),
    transport.PayloadTooLarge: Problem(413, "PAYLOAD_TOO_LARGE", "The body is too large"),
    transport.UnsupportedMediaType: Problem(415, "UNSUPPORTED_MEDIA_TYPE", "Unsupported media type"),
    transport.TooManyRequests: Problem(429, "TOO_MANY_REQUESTS", "Too many requests"),
    errors.OutOfStock: Problem(409, "OUT_OF_STOCK", "Not enough stock"),
    errors.SlotTaken: Problem(409, "SLOT_TAKEN", "The time is taken"),
    errors.OutsideHours: Problem(409, "OUTSIDE_HOURS", "Not possible at this time"),
    errors.DiscountInvalid: Problem(409, "DISCOUNT_INVALID", "The discount code is not valid"),
    errors.RefundTooLarge: Problem(409, "REFUND_TOO_LARGE", "More would be refunded than is left"),
    errors.SkuTaken: Problem(409, "SKU_TAKEN", "The SKU is taken"),
    errors.EmailTaken: Problem(409, "EMAIL_TAKEN", "The e-mail address is taken"),
    errors.InvalidState: Problem(409, "INVALID_STATE", "Not possible in the current state"),
    errors.PaymentInProgress: Problem(409, "PAYMENT_IN_PROGRESS", "A payment is in progress"),
    errors.PaymentDeclined: Problem(402, "PAYMENT_DECLINED", "The payment was declined"),
    errors.ProviderUnavailable: Problem(503, "PROVIDER_UNAVAILABLE", "The payment provider does not answer"),
    errors.ItemArchived: Problem(409, "ITEM_ARCHIVED", "The item is archived"),
    errors.InsufficientFunds: Problem(409, "INSUFFICIENT_FUNDS", "Insufficient funds"),
    errors.AlreadyReversed: Problem(409, "ALREADY_REVERSED", "Already reversed"),
    errors.PriceChanged: Problem(409, "PRICE_CHANGED", "The price has changed"),
    errors.PreconditionFailed: Problem(412, "PRECONDITION_FAILED", "Precondition failed"),
    transport.PreconditionRequired: Problem(428, "PRECONDITION_REQUIRED", "If-Match is required"),
    errors.IdempotencyKeyReused: Problem(422, "IDEMPOTENCY_KEY_REUSED", "Idempotency-Key already used"),
    errors.IdempotencyInProgress: Problem(409, "IDEMPOTENCY_IN_PROGRESS", "Request in progress"),
    errors.Contention: Problem(409, "CONTENTION", "Too much contention"),
    errors.Unavailable: Problem(503, "UNAVAILABLE", "Service unavailable"),
}


def problem_of(error: DomainError | None) -> Problem:
    """Return the problem for an error; None is an unexpected exception."""
    return PROBLEMS[type(error)] if error else INTERNAL_ERROR


def problem_body(error: DomainError | None, instance: str, request_id: str) -> dict[str, Any]:
    """Return the problem document for an error; None is an unexpected exception."""
    if error is None:
        detail = "The error has been logged. Quote the request id when you report it."
        return problem_document(INTERNAL_ERROR, detail, instance, request_id)
    return problem_document(problem_of(error), error.detail, instance, request_id, error.flaws)


def problem_document(
    problem: Problem, detail: str, instance: str, request_id: str, flaws: Sequence[Flaw] = ()
) -> dict[str, Any]:
    """Return a problem document (RFC 9457) with the extension members `code`, `request_id` and `errors`."""
    return {
        "type": problem.type,
        "title": problem.title,
        "status": problem.status,
        "code": problem.code,
        "detail": detail,
        "instance": quote(instance, safe=_IN_URIS),
        "request_id": request_id,
        "errors": [_shown(each) for each in flaws[:MAX_FLAWS]],
    }


def problem_headers(error: DomainError | None) -> dict[str, str]:
    """Return the headers of the response to an error: Content-Type, Retry-After and Allow."""
    headers = {"Content-Type": CONTENT_TYPE}
    if problem_of(error).retryable:
        headers["Retry-After"] = _RETRY_AFTER_SECONDS
    if isinstance(error, transport.MethodNotAllowed):
        headers["Allow"] = error.allowed
    return headers


def from_validation(invalid: RequestValidationError) -> DomainError:
    """Return Powertools' validation errors as a ValidationFailed, or PreconditionRequired if If-Match is missing.

    Pointers to query parameters and headers are `/query/<name>` and `/header/<name>`.
    """
    found = invalid.errors()[:MAX_FLAWS]
    for error in found:
        place, *path = error["loc"]
        if place == "header" and error["type"] == "missing" and path[0].lower() == "if-match":
            return transport.PreconditionRequired()
    return invalid_input(_flaw(error) for error in found)


def _flaw(error: dict[str, Any]) -> Flaw:
    place, *path = error["loc"]
    return flaw(error, path if place == "body" else (place, *path))


def _shown(each: Flaw) -> dict[str, str]:
    return {"pointer": each.pointer, "code": each.code, "detail": each.detail}


def problem_response(error: DomainError | None, instance: str, request_id: str) -> StoredResponse:
    """Return the response to a request that failed. `instance` is its path, decoded."""
    body = to_json(problem_body(error, instance, request_id))
    return StoredResponse(problem_of(error).status, problem_headers(error), body)
