"""Requests to PayPal's API: access tokens, idempotency keys and errors (PayPal REST API reference, "API requests")."""

import hashlib
import json
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from repositories.aws.ttl_cache import TtlCache
from repositories.payments.providers import http
from repositories.payments.providers.provider import Access, CredentialsRefused, Refused

_MAX_AGE = 3600
"""Age in seconds up to which an access token is used. PayPal's are valid for some hours."""
tokens: TtlCache[str, str] = TtlCache(100)
_UNAUTHORIZED, _FORBIDDEN = 401, 403
_DECLINED = frozenset(
    {"INSTRUMENT_DECLINED", "PAYER_ACCOUNT_RESTRICTED", "PAYER_CANNOT_PAY", "TRANSACTION_REFUSED"}
    | {"MAX_NUMBER_OF_PAYMENT_ATTEMPTS_EXCEEDED", "PAYEE_BLOCKED_TRANSACTION"}
)
"""Issues that mean that the customer's payment was declined (Orders API, errors of "Authorize payment for order")."""


def ask(
    access: Access, method: str, path: str, body: Mapping[str, Any] | None = None, key: str = "", text: str = ""
) -> Any:
    """Return the body of a success; `text` is a body that is JSON already. Raises Refused, OutcomeUnknown."""
    sent = text or (json.dumps(body) if body is not None else None)
    response = _send(access, method, path, sent, key, token(access))
    if response.status == _UNAUTHORIZED:  # it may have been revoked
        response = _send(access, method, path, sent, key, token(access, anew=True))
    if response.status < 300:
        return response.body
    raise _refusal(response)


def _send(access: Access, method: str, path: str, body: str | None, key: str, bearer: str) -> http.Response:
    headers = {"Authorization": f"Bearer {bearer}", "Prefer": "return=representation"}
    if body is not None:
        headers["Content-Type"] = "application/json"
    if key:
        headers["PayPal-Request-Id"] = key
    return http.request(method, access.base + path, headers, body, access.deadline)


def token(access: Access, *, anew: bool = False) -> str:
    """Return an access token, at most an hour old. Raises CredentialsRefused, OutcomeUnknown."""
    secrets = access.credentials.secrets
    pair = b64encode(f"{secrets['client_id']}:{secrets['client_secret']}".encode()).decode()
    name = hashlib.sha256(f"{access.base}\n{pair}".encode()).hexdigest()
    if anew:
        tokens.forget(name)

    def load() -> str:
        headers = {"Authorization": f"Basic {pair}", "Content-Type": "application/x-www-form-urlencoded"}
        grant = "grant_type=client_credentials"
        response = http.request("POST", f"{access.base}/v1/oauth2/token", headers, grant, access.deadline)
        if response.status >= 300:
            raise _refusal(response)
        return str(response.body["access_token"])

    return tokens.get(name, load, max_age=_MAX_AGE)


def _refusal(response: http.Response) -> Refused:
    if response.status in {_UNAUTHORIZED, _FORBIDDEN}:
        return CredentialsRefused("The credentials are not accepted.", code=str(response.body.get("name") or ""))
    details = (response.body.get("details") or [{}])[0]
    issue = str(details.get("issue") or response.body.get("name") or "")
    reason = str(details.get("description") or response.body.get("message") or f"HTTP {response.status}")
    return Refused(reason, is_declined=issue in _DECLINED, code=issue)
