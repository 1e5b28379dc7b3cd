"""Commands about payment providers."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import httpx
import typer

from cli.commands.options import fail

if TYPE_CHECKING:
    from repositories.payments.providers.stripe.client import Stripe
    from repositories.payments.rows import StoredPayment

_SECONDS = 120.0
_TEST_KEYS = ("sk_test_", "rk_test_")
_PART = 300
_CARD = "pm_card_visa"
"""Payment method of Stripe's documentation ("Testing") that is always accepted."""


def check(
    secret_key: Annotated[
        str,
        typer.Option(
            envvar="STRIPE_SECRET_KEY", help="Key in test mode: no real money is moved.", prompt=True, hide_input=True
        ),
    ],
    stripe_api: Annotated[str, typer.Option(help="Stripe's API.")] = "https://api.stripe.com",
) -> None:
    """Try everything that Tradepost asks of Stripe, with a key in test mode, and print what holds."""
    from domain.common.environment import monotonic
    from repositories.payments.credentials import Credentials
    from repositories.payments.providers.provider import Access, OutcomeUnknown, Refused
    from repositories.payments.providers.stripe.client import Stripe

    if not secret_key.startswith(_TEST_KEYS):
        fail("Give a key in test mode: it begins with sk_test_ or rk_test_.", 2)
    credentials = Credentials({"secret_key": secret_key}, None)
    stripe = Stripe(Access("check", credentials, stripe_api, monotonic() + _SECONDS))
    failed = 0
    try:
        with httpx.Client(base_url=f"{stripe_api.rstrip('/')}/v1/", auth=(secret_key, ""), timeout=30) as client:
            for what, holds in _checks(stripe, Customer(client)):
                print(f"{'ok    ' if holds else 'FAILED'} {what}", flush=True)
                failed += not holds
    except (OutcomeUnknown, Refused, httpx.HTTPError) as error:
        fail(f"Stripe does not do what is needed: {error}")
    if failed:
        raise typer.Exit(1)


class Customer:
    """What a customer does, and what Stripe says then, apart from the client that is checked."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def confirm(self, payment: "StoredPayment") -> None:
        """Confirm a payment. Raises httpx.HTTPError."""
        fields = {"payment_method": _CARD, "return_url": "https://example.com/"}
        self._client.post(f"payment_intents/{payment.external_id}/confirm", data=fields).raise_for_status()

    def refunded(self, payment: "StoredPayment") -> int:
        """Return what was refunded of a payment, in cents. Raises httpx.HTTPError."""
        found = self._client.get("refunds", params={"payment_intent": payment.external_id or ""}).raise_for_status()
        return sum(int(each["amount"]) for each in found.json()["data"])


def _checks(stripe: "Stripe", customer: Customer) -> Iterator[tuple[str, bool]]:
    """Yield what Tradepost relies on, and whether it holds."""
    from domain.common.money import Money
    from domain.payments.protocol import Held

    yield f"the account {stripe.account()} answers", True
    payment = _payment()
    begun = stripe.create(payment)
    yield "a payment is begun", begun.held is Held.NOTHING and bool(begun.client_secret)
    yield "the same key begins no second one", stripe.create(payment).external_id == begun.external_id
    payment = _at(payment, begun.external_id)
    customer.confirm(payment)
    yield "a confirmed payment is authorised", stripe.look(payment).held is Held.AUTHORIZATION
    yield "it is captured", stripe.capture(payment).held is Held.MONEY
    yield "once, whatever is asked", stripe.capture(payment).held is Held.MONEY
    yield "and cannot be voided then", stripe.void(payment).held is Held.MONEY
    for _ in range(2):
        stripe.refund(payment, f"{payment.id}:check", Money.of_minor(_PART, "EUR"))
    yield "a part is refunded, once", customer.refunded(payment) == _PART
    yield "the rest is given back", stripe.give_back(payment).held is Held.GIVEN_BACK
    other = _payment()
    other = _at(other, stripe.create(other).external_id)
    yield "another payment is voided", stripe.void(other).held is Held.ENDED
    yield "and cannot be captured then", stripe.capture(other).held is Held.ENDED


def _payment() -> "StoredPayment":
    from domain.common.environment import now
    from domain.common.ids import new_id
    from domain.common.money import Money
    from domain.payments.protocol import Stage
    from repositories.payments.rows import StoredPayment

    return StoredPayment(
        id=new_id("payment"),
        order_id=new_id("order"),
        customer_id="check",
        provider="stripe",
        stage=Stage.STARTED,
        amount=Money.of_minor(1299, "EUR"),
        created_at=now(),
        updated_at=now(),
    )


def _at(payment: "StoredPayment", external_id: str) -> "StoredPayment":
    from dataclasses import replace

    return replace(payment, external_id=external_id)
