"""Commands about payment providers."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Literal, Protocol

import httpx
import typer

from cli.commands.options import fail

if TYPE_CHECKING:
    from repositories.payments.providers.provider import Access, Provider
    from repositories.payments.providers.statements import Statements
    from repositories.payments.rows import StoredPayment

_SECONDS = 900.0
_TEST_KEYS = ("sk_test_", "rk_test_")
_PART = 300
_CARD = "pm_card_visa"
"""Payment method of Stripe's documentation ("Testing") that is always accepted."""
_SANDBOX = "https://api-m.sandbox.paypal.com"
_PAUSE_SECONDS = 2.0


class Customer(Protocol):
    """What a customer does, and what they have got back, apart from the client that is checked."""

    def confirm(self, payment: "StoredPayment", address: str) -> None:
        """Confirm a payment at an address. Raises httpx.HTTPError, Refused, OutcomeUnknown."""

    def refunded(self, payment: "StoredPayment") -> int:
        """Return what was refunded, in cents. Raises httpx.HTTPError, Refused, OutcomeUnknown."""


def check(
    provider: Annotated[Literal["stripe", "paypal"], typer.Argument(help="Provider.")] = "stripe",
    secret_key: Annotated[
        str, typer.Option(envvar="STRIPE_SECRET_KEY", help="Stripe's key in test mode: no real money is moved.")
    ] = "",
    client_id: Annotated[str, typer.Option(envvar="PAYPAL_CLIENT_ID", help="Id of an app in PayPal's sandbox.")] = "",
    client_secret: Annotated[str, typer.Option(envvar="PAYPAL_CLIENT_SECRET", help="Its secret.")] = "",
    stripe_api: Annotated[str, typer.Option(help="Stripe's API.")] = "https://api.stripe.com",
    paypal_api: Annotated[str, typer.Option(help="PayPal's API, of its sandbox.")] = _SANDBOX,
) -> None:
    """Try all that Tradepost asks of a provider, with test credentials, and print what holds.

    PayPal has no way to confirm a payment without its page: open the address that is printed, as a buyer of the
    sandbox.
    """
    from repositories.payments.providers.provider import OutcomeUnknown, Refused

    failed = 0
    try:
        if provider == "stripe":
            key = secret_key or _asked("Secret key")
            with httpx.Client(base_url=f"{stripe_api.rstrip('/')}/v1/", auth=(key, ""), timeout=30) as client:
                failed = _print(_stripe_checks(key, stripe_api, client))
        else:
            secrets = {
                "client_id": client_id or _asked("Client id"),
                "client_secret": client_secret or _asked("Client secret"),
            }
            failed = _print(_paypal_checks(secrets, paypal_api))
    except (OutcomeUnknown, Refused, httpx.HTTPError) as error:
        fail(f"{provider.title()} does not do what is needed: {error}")
    if failed:
        raise typer.Exit(1)


def _asked(what: str) -> str:
    answer: str = typer.prompt(what, hide_input=True)
    return answer


def _print(checks: Iterator[tuple[str, bool]]) -> int:
    """Print what holds as it is found, and return how much does not."""
    failed = 0
    for what, holds in checks:
        print(f"{'ok    ' if holds else 'FAILED'} {what}", flush=True)
        failed += not holds
    return failed


def _stripe_checks(secret_key: str, base: str, client: httpx.Client) -> Iterator[tuple[str, bool]]:
    from repositories.payments.providers.stripe.client import Stripe
    from repositories.payments.providers.stripe.statements import StripeStatements

    if not secret_key.startswith(_TEST_KEYS):
        fail("Give a key in test mode: it begins with sk_test_ or rk_test_.", 2)
    access = _access({"secret_key": secret_key}, base)
    yield from _checks("stripe", Stripe(access), StripeStatements(access), _StripeCustomer(client))


def _paypal_checks(secrets: dict[str, str], base: str) -> Iterator[tuple[str, bool]]:
    from repositories.payments.providers.paypal.client import PayPal
    from repositories.payments.providers.paypal.statements import PayPalStatements

    if base == "https://api-m.paypal.com":
        fail("Give the API of the sandbox: here real money would be moved.", 2)
    access = _access(secrets, base)
    yield from _checks("paypal", PayPal(access), PayPalStatements(access), _PayPalCustomer(access))


class _StripeCustomer:
    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def confirm(self, payment: "StoredPayment", _: str) -> None:
        fields = {"payment_method": _CARD, "return_url": "https://example.com/"}
        self._client.post(f"payment_intents/{payment.external_id}/confirm", data=fields).raise_for_status()

    def refunded(self, payment: "StoredPayment") -> int:
        found = self._client.get("refunds", params={"payment_intent": payment.external_id or ""}).raise_for_status()
        return sum(int(each["amount"]) for each in found.json()["data"])


class _PayPalCustomer:
    def __init__(self, access: "Access") -> None:
        self._access = access

    def confirm(self, payment: "StoredPayment", address: str) -> None:
        from domain.common.environment import sleep

        print(f"Approve the payment as a buyer of the sandbox: {address}", flush=True)
        while self._order(payment)["status"] != "APPROVED":
            sleep(_PAUSE_SECONDS)

    def refunded(self, payment: "StoredPayment") -> int:
        made = self._order(payment)["purchase_units"][0]["payments"]["refunds"]
        return sum(round(float(each["amount"]["value"]) * 100) for each in made)

    def _order(self, payment: "StoredPayment") -> Any:
        from repositories.payments.providers.paypal.asking import ask

        return ask(self._access, "GET", f"/v2/checkout/orders/{payment.external_id}")


def _access(secrets: dict[str, str], base: str) -> "Access":
    from domain.common.environment import monotonic
    from repositories.payments.credentials import Credentials
    from repositories.payments.providers.provider import Access

    return Access("check", Credentials(secrets, None), base, monotonic() + _SECONDS)


def _checks(
    name: str, provider: "Provider", statements: "Statements", customer: Customer
) -> Iterator[tuple[str, bool]]:
    """Yield what Tradepost relies on, and whether it holds."""
    from domain.common.money import Money
    from domain.payments.protocol import Held

    yield f"the account {provider.account()} answers", True
    payment = _payment(name)
    begun = provider.create(payment)
    yield "a payment is begun", begun.held is Held.NOTHING and bool(begun.client_secret or begun.approve_url)
    yield "the same key begins no second one", provider.create(payment).external_id == begun.external_id
    payment = _at(payment, begun.external_id)
    customer.confirm(payment, begun.approve_url or "")
    yield "a confirmed payment is authorised", provider.look(payment).held is Held.AUTHORIZATION
    yield "it is captured", provider.capture(payment).held is Held.MONEY
    yield "once, whatever is asked", provider.capture(payment).held is Held.MONEY
    yield "and cannot be voided then", provider.void(payment).held is Held.MONEY
    for _ in range(2):
        provider.refund(payment, f"{payment.id}:check", Money.of_minor(_PART, "EUR"))
    yield "a part is refunded, once", customer.refunded(payment) == _PART
    yield "the rest is given back", provider.give_back(payment).held is Held.GIVEN_BACK
    other = _payment(name)
    other = _at(other, provider.create(other).external_id)
    yield "another payment is voided", provider.void(other).held is Held.ENDED
    yield "the balance can be read", _reads(statements)


def _reads(statements: "Statements") -> bool:
    """Read what reconciliation reads. Raises OutcomeUnknown, Refused."""
    from datetime import timedelta

    from domain.common.environment import now

    since = now() - timedelta(days=1)
    statements.balance()
    statements.movements(since, now(), None)
    statements.disputes(since)
    statements.payouts(since, now())
    return True


def _payment(provider: str) -> "StoredPayment":
    from domain.common.environment import now
    from domain.common.ids import new_id
    from domain.common.money import Money
    from domain.payments.protocol import Stage
    from repositories.payments.rows import StoredPayment

    return StoredPayment(
        id=new_id("payment"),
        order_id=new_id("order"),
        customer_id="check",
        provider=provider,
        stage=Stage.STARTED,
        amount=Money.of_minor(1299, "EUR"),
        created_at=now(),
        updated_at=now(),
    )


def _at(payment: "StoredPayment", external_id: str) -> "StoredPayment":
    from dataclasses import replace

    return replace(payment, external_id=external_id)
