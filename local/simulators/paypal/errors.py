"""Errors as PayPal's API answers them (PayPal REST API reference, "API responses")."""

from typing import Any

_MESSAGES = {
    400: ("INVALID_REQUEST", "Request is not well-formed, syntactically incorrect, or violates schema."),
    403: ("NOT_AUTHORIZED", "Authorization failed due to insufficient permissions."),
    404: ("RESOURCE_NOT_FOUND", "The specified resource does not exist."),
    422: ("UNPROCESSABLE_ENTITY", "The requested action could not be performed, semantically incorrect, or failed."),
}


class PayPalError(Exception):
    """An error with an issue, such as `INSTRUMENT_DECLINED`."""

    def __init__(self, status: int, issue: str, description: str, **fields: Any) -> None:
        super().__init__(description)
        name, message = _MESSAGES[status]
        details = [{"issue": issue, "description": description} | fields]
        self.status = status
        self.body = {"name": name, "message": message, "debug_id": "simulated", "details": details, "links": []}


class TokenError(Exception):
    """A request without valid credentials, or without a valid token."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.body = {"error": error, "error_description": description}


def missing(field: str) -> PayPalError:
    """Return the error of a field that is not there."""
    return PayPalError(400, "MISSING_REQUIRED_PARAMETER", "A required field is missing.", field=field)


def not_found(what: str) -> PayPalError:
    """Return the error of a resource that is not there."""
    return PayPalError(404, "INVALID_RESOURCE_ID", f"Specified resource ID does not exist: {what}.")


def refused(issue: str, description: str) -> PayPalError:
    """Return the error of something that cannot be done."""
    return PayPalError(422, issue, description)
