"""The API of the simulated Stripe: routes, accounts by key, and answers by idempotency key.

Any secret key that begins with `sk_test_` is an account of its own. What is not here answers 404, and parameters that
are not known 400, as Stripe does.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from local.simulators.store import Kept
from local.simulators.stripe.forms import Fields, Reply, StripeError, account_of, fields_of, require_known
from local.simulators.stripe.payments import Payments


class Stripe(Payments):
    """The simulator."""

    def handle(self, method: str, path: str, query: str, headers: Mapping[str, str], body: str) -> Reply:
        """Answer a request; header names are in lower case."""
        try:
            account = account_of(headers.get("authorization", ""))
            fields = fields_of(query if method == "GET" else body)
        except StripeError as refused:
            return Reply(refused.status, refused.body, {})
        key = headers.get("idempotency-key", "") if method == "POST" else ""
        with self.store.changing():
            return self._once(account, key, method, path, fields)

    def _once(self, account: str, key: str, method: str, path: str, fields: Fields) -> Reply:
        """Answer a request, or repeat what its key was answered (Stripe API, "Idempotent requests")."""
        request = json.dumps([method, path, fields], sort_keys=True)
        kept = self.store.kept(account, key) if key else None
        if kept and kept.request != request:
            message = (
                "Keys for idempotent requests can only be used with the same parameters they were first used with."
            )
            return Reply(400, {"error": {"type": "idempotency_error", "message": message}}, {})
        if kept:
            return Reply(kept.status, json.loads(kept.body), {"Idempotent-Replayed": "true"})
        try:
            reply = Reply(200, self._answer(account, method, path, fields), {})
        except StripeError as refused:
            reply = Reply(refused.status, refused.body, {})
            if "param" in refused.body["error"]:
                return reply  # nothing was begun, so nothing is kept
        if key:
            self.store.keep(account, key, Kept(request, reply.status, json.dumps(reply.body)))
        return reply

    def _answer(self, account: str, method: str, path: str, fields: Fields) -> Any:
        for (verb, pattern), (known, answer) in _ROUTES.items():
            match = re.fullmatch(pattern, path)
            if match and verb == method:
                require_known(fields, known | {"expand"})
                return answer(self, account, fields, *match.groups())
        raise StripeError(404, f"Unrecognized request URL ({method}: {path}).")


type _Answer = Callable[..., Any]
_INTENT = r"/v1/payment_intents/(pi_\w+)"
_PAGE = frozenset({"limit", "starting_after", "created"})
_NEW = frozenset(
    {"amount", "currency", "capture_method", "automatic_payment_methods", "metadata", "description", "confirm"}
    | {"payment_method", "return_url", "payment_method_types"}
)
_ROUTES: dict[tuple[str, str], tuple[frozenset[str], _Answer]] = {
    ("GET", "/v1/account"): (frozenset(), Stripe.show_account),
    ("POST", "/v1/payment_intents"): (_NEW, Stripe.create),
    ("GET", "/v1/payment_intents"): (_PAGE, Stripe.list_intents),
    ("GET", "/v1/payment_intents/search"): (frozenset({"query", "limit"}), Stripe.search),
    ("GET", _INTENT): (frozenset({"client_secret"}), Stripe.retrieve),
    ("POST", f"{_INTENT}/confirm"): (frozenset({"payment_method", "return_url"}), Stripe.confirm_intent),
    ("POST", f"{_INTENT}/capture"): (frozenset(), Stripe.capture),
    ("POST", f"{_INTENT}/cancel"): (frozenset({"cancellation_reason"}), Stripe.cancel),
    ("POST", "/v1/refunds"): (frozenset({"payment_intent", "amount", "metadata", "reason"}), Stripe.refund),
    ("GET", "/v1/refunds"): (frozenset({"payment_intent", "limit"}), Stripe.list_refunds),
    ("GET", r"/v1/refunds/(re_\w+)"): (frozenset(), Stripe.retrieve_refund),
    ("GET", "/v1/balance"): (frozenset(), Stripe.show_balance),
    ("GET", "/v1/balance_transactions"): (_PAGE, Stripe.list_movements),
    ("GET", "/v1/disputes"): (_PAGE, Stripe.list_disputes),
    ("GET", "/v1/payouts"): (_PAGE, Stripe.list_payouts),
    ("GET", "/v1/events"): (_PAGE, Stripe.list_events),
    ("POST", "/v1/webhook_endpoints"): (
        frozenset({"url", "enabled_events", "description"}),
        Stripe.add_endpoint,
    ),
}
