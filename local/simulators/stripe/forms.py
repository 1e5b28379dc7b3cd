"""Forms that Stripe's API takes, and the errors that it answers (Stripe API reference, "Errors")."""

import hashlib
import re
from base64 import b64decode
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

type Fields = dict[str, Any]


class Reply(NamedTuple):
    """An answer: status, body and headers."""

    status: int
    body: Any
    headers: dict[str, str]


class StripeError(Exception):
    """An error as the API answers it."""

    def __init__(self, status: int, message: str, kind: str = "invalid_request_error", **fields: Any) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"error": {"type": kind, "message": message} | fields}


def account_of(authorization: str) -> str:
    """Return the account of a request. Raises StripeError."""
    scheme, _, given = authorization.partition(" ")
    if scheme == "Basic":
        given = b64decode(given).decode().partition(":")[0]
    if not given.startswith("sk_test_"):
        raise StripeError(401, f"Invalid API Key provided: {given[:8]}****")
    return f"acct_{hashlib.sha256(given.encode()).hexdigest()[:16]}"


def fields_of(text: str) -> Fields:
    """Return the fields of a form, nested as their names say: `metadata[order]`, `expand[0]`, `expand[]`."""
    fields: Fields = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        path = re.findall(r"[^\[\]]+|(?<=\[)(?=\])", name)
        if len(path) == 1:
            fields[name] = value
        elif path[1] == "" or path[1].isdecimal():
            fields.setdefault(path[0], []).append(value)
        else:
            fields.setdefault(path[0], {})[path[1]] = value
    return fields


def require_known(fields: Fields, known: frozenset[str]) -> None:
    """Raise StripeError for a parameter that is not known."""
    unknown = sorted(fields.keys() - known)
    if unknown:
        message = f"Received unknown parameter: {unknown[0]}"
        raise StripeError(400, message, code="parameter_unknown", param=unknown[0])


def text_in(fields: Fields, name: str) -> str:
    """Return a parameter that must be there. Raises StripeError."""
    if not fields.get(name):
        raise StripeError(400, f"Missing required param: {name}.", code="parameter_missing", param=name)
    return str(fields[name])


def amount_in(fields: Fields) -> int:
    """Return the amount, a positive whole number. Raises StripeError."""
    text = text_in(fields, "amount")
    if not text.isdecimal() or int(text) == 0:
        raise StripeError(400, f"Invalid integer: {text}", code="parameter_invalid_integer", param="amount")
    return int(text)


def choice_in(fields: Fields, name: str, choices: tuple[str, ...], usual: str) -> str:
    """Return a parameter that is one of several, or else what is usual. Raises StripeError."""
    value = str(fields.get(name, usual))
    if value not in choices:
        raise StripeError(400, f"Invalid {name}: must be one of {', '.join(choices)}", param=name)
    return value
