"""The API of the simulated PayPal: routes, access tokens, and answers by request id.

Any client id is an account of its own if its secret begins with `test_`. What is not here answers 404.
"""

import hashlib
import json
import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qs

from local.simulators.paypal import signing
from local.simulators.paypal.balance import Account
from local.simulators.paypal.errors import PayPalError, TokenError, missing, not_found
from local.simulators.paypal.objects import Fields, shown
from local.simulators.paypal.payments import Payments
from local.simulators.store import Kept

TOKEN_LASTS = 9 * 3600


class Reply(NamedTuple):
    """An answer: status and body."""

    status: int
    body: Any


class PayPal(Payments):
    """The simulator."""

    def handle(self, method: str, path: str, query: str, headers: Mapping[str, str], body: str, base: str) -> Reply:
        """Answer a request; header names are in lower case, and `base` is the simulator's address."""
        try:
            if path == "/v1/oauth2/token":
                return Reply(200, self._issue_token(headers.get("authorization", ""), body))
            account = Account(self._account_of(headers.get("authorization", "")), base)
            given = {name: values[0] for name, values in parse_qs(query).items()} if method == "GET" else _object(body)
            if path == "/v1/notifications/verify-webhook-signature":
                return Reply(200, self._verify(account, given, body))
            with self.store.changing():
                return self._once(account, headers.get("paypal-request-id", ""), method, path, given)
        except TokenError as error:
            return Reply(401, error.body)
        except PayPalError as error:
            return Reply(error.status, error.body)

    def _issue_token(self, authorization: str, body: str) -> Fields:
        scheme, _, given = authorization.partition(" ")
        client_id, _, secret = (b64decode(given).decode() if scheme == "Basic" else "").partition(":")
        if not client_id or not secret.startswith("test_") or "client_credentials" not in body:
            raise TokenError("invalid_client", "Client Authentication failed")
        account = f"paypal_{hashlib.sha256(client_id.encode()).hexdigest()[:16]}"
        with self.store.changing():
            token = {
                "id": f"A21AA{self._chance.getrandbits(160):040x}",
                "of": account,
                "ends": self._now() + TOKEN_LASTS,
            }
            self.store.put("-", "token", token)
        return {"scope": "https://uri.paypal.com/services/payments/realtimepayment", "access_token": token["id"]} | {
            "token_type": "Bearer",
            "app_id": "APP-80W284485P519543T",
            "expires_in": TOKEN_LASTS,
            "nonce": "simulated",
        }

    def _account_of(self, authorization: str) -> str:
        found = self.store.get("-", "token", authorization.removeprefix("Bearer "))
        if found is None or found["ends"] <= self._now():
            raise TokenError("invalid_token", "The token passed in was not found in the system")
        return str(found["of"])

    def _once(self, account: Account, key: str, method: str, path: str, given: Fields) -> Reply:
        """Answer a request, or repeat what its id was answered (PayPal REST API reference, "Idempotency")."""
        name = f"{path} {key}" if key and method == "POST" else ""
        kept = self.store.kept(account.id, name) if name else None
        if kept:
            return Reply(kept.status, json.loads(kept.body))
        try:
            status, answer = self._answer(account, method, path, given)
        except PayPalError as error:
            return Reply(error.status, error.body)
        body = shown(answer)
        if name:
            self.store.keep(account.id, name, Kept("", status, json.dumps(body)))
        return Reply(status, body)

    def _answer(self, account: Account, method: str, path: str, given: Fields) -> tuple[int, Any]:
        for (verb, pattern), (status, answer) in _ROUTES.items():
            match = re.fullmatch(pattern, path)
            if match and verb == method:
                return status, answer(self, account, given, *match.groups())
        raise not_found(path)

    def add_webhook(self, account: Account, given: Fields) -> Fields:
        """Add a webhook."""
        if not given.get("url") or not given.get("event_types"):
            raise missing("/url")
        webhook = {
            "id": self._new_id(),
            "url": given["url"],
            "event_types": given["event_types"],
            "_base": account.base,
        }
        return self.store.put(account.id, "webhook", webhook)

    def list_webhooks(self, account: Account, _given: Fields) -> Fields:
        """Return the webhooks."""
        return {"webhooks": self.store.all(account.id, "webhook")}

    def list_events(self, account: Account, _given: Fields) -> Fields:
        """Return the last events."""
        return {"events": self.store.all(account.id, "event")}

    def _verify(self, account: Account, given: Fields, text: str) -> Fields:
        """Say whether a webhook was signed here, byte for byte, for a webhook of the account."""
        start = text.index('"webhook_event":') + len('"webhook_event":')
        start += len(text[start:]) - len(text[start:].lstrip())
        _, end = json.JSONDecoder().raw_decode(text, start)
        is_known = self.store.get(account.id, "webhook", given.get("webhook_id", "")) is not None
        is_valid = is_known and signing.is_valid(self.store, given, text[start:end].encode())
        return {"verification_status": "SUCCESS" if is_valid else "FAILURE"}


def _object(body: str) -> Fields:
    try:
        found: Fields = json.loads(body or "{}")
    except ValueError:
        raise PayPalError(400, "MALFORMED_REQUEST_JSON", "The request JSON is not well formed.") from None
    return found


type _Answer = Callable[..., Any]
_ORDER, _AUTHORIZATION = r"/v2/checkout/orders/(\w+)", r"/v2/payments/authorizations/(\w+)"
_CAPTURE = r"/v2/payments/captures/(\w+)"
_ROUTES: dict[tuple[str, str], tuple[int, _Answer]] = {
    ("POST", "/v2/checkout/orders"): (201, PayPal.create),
    ("GET", _ORDER): (200, PayPal.show),
    ("POST", f"{_ORDER}/authorize"): (201, PayPal.authorize),
    ("GET", _AUTHORIZATION): (200, PayPal.show_authorization),
    ("POST", f"{_AUTHORIZATION}/capture"): (201, PayPal.capture),
    ("POST", f"{_AUTHORIZATION}/void"): (200, PayPal.void),
    ("GET", _CAPTURE): (200, PayPal.show_capture),
    ("POST", f"{_CAPTURE}/refund"): (201, PayPal.refund),
    ("GET", r"/v2/payments/refunds/(\w+)"): (200, PayPal.show_refund),
    ("POST", "/v1/notifications/webhooks"): (201, PayPal.add_webhook),
    ("GET", "/v1/notifications/webhooks"): (200, PayPal.list_webhooks),
    ("GET", "/v1/notifications/webhooks-events"): (200, PayPal.list_events),
    ("GET", "/v1/reporting/transactions"): (200, PayPal.list_transactions),
    ("GET", "/v1/reporting/balances"): (200, PayPal.show_balances),
    ("GET", "/v1/customer/disputes"): (200, PayPal.list_disputes),
    ("GET", r"/v1/customer/disputes/([\w-]+)"): (200, PayPal.show_dispute),
}
