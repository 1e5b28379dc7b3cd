"""Requests to Stripe's API: forms, idempotency keys and errors (Stripe API reference)."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from repositories.payments.providers import http
from repositories.payments.providers.provider import Access, CredentialsRefused, Refused

API_VERSION = "2026-10-28.endive"
"""Version of the API whose answers this package understands: that of the library that the tests use."""
_UNAUTHORIZED, _FORBIDDEN, _PAYMENT_REQUIRED = 401, 403, 402


def ask(
    access: Access, method: str, path: str, fields: Mapping[str, Any] | None = None, key: str = "", present: str = ""
) -> Any:
    """Return the body of a success. Raises Refused, OutcomeUnknown.

    An answer that is repeated for a key may be old: then what is at `present` is returned instead, if given.
    """
    headers = {"Authorization": f"Bearer {access.credentials.secrets['secret_key']}", "Stripe-Version": API_VERSION}
    if key:
        headers["Idempotency-Key"] = key
    body = None
    if method == "POST":
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        body = urlencode([*_flat(fields or {})])
    response = http.request(method, access.base + path, headers, body, access.deadline)
    if response.status < 300:
        is_old = response.headers.get("Idempotent-Replayed") == "true"
        return ask(access, "GET", present) if is_old and present else response.body
    raise _refusal(response)


def _refusal(response: http.Response) -> Refused:
    error = response.body.get("error") or {}
    reason, code = str(error.get("message") or f"HTTP {response.status}"), str(error.get("code") or "")
    if response.status in {_UNAUTHORIZED, _FORBIDDEN}:
        return CredentialsRefused("The credentials are not accepted.", code=code)
    return Refused(reason, is_declined=response.status == _PAYMENT_REQUIRED, code=code)


def _flat(fields: Mapping[str, Any] | Sequence[Any], under: str = "") -> Iterator[tuple[str, str]]:
    """Yield nested fields as a form has them: `metadata[order]`, `expand[0]`."""
    pairs = fields.items() if isinstance(fields, Mapping) else enumerate(fields)
    for name, value in pairs:
        path = f"{under}[{name}]" if under else str(name)
        if isinstance(value, Mapping | list):
            yield from _flat(value, path)
        else:
            yield path, str(value)
