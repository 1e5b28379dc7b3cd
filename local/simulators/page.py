"""Page of the simulators for people: accounts, payments, disputes, payouts, and what customers and banks can do."""

from collections.abc import Callable, Iterator, Mapping
from html import escape
from typing import Any, NamedTuple, Protocol
from urllib.parse import parse_qs

from local.simulators.store import Store

_HEAD = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Simulated payment providers</title>
<style>body{font:16px/1.5 system-ui;margin:2rem auto;max-width:70rem;padding:0 1rem}table{border-collapse:collapse;
width:100%}td,th{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #ccc}form{display:inline}</style>
<h1>Simulated payment providers</h1><p>Nothing here is real money. An account appears with its first payment.</p>"""
_HEADER = "<tr><th>What</th><th>Id</th><th>Order or payment</th><th>Amount</th><th>Status</th><th></th></tr>"
_MOST = 100


class Bank(Protocol):
    """What people can do at a simulated provider. What cannot be done is left undone."""

    def confirm(self, account: str, payment: str, /, *, accept: bool) -> None:
        """Confirm a payment, with a card that is good or is declined."""

    def lapse(self, account: str, payment: str, /) -> None:
        """Let an authorization lapse."""

    def dispute(self, account: str, payment: str, /) -> None:
        """Dispute a payment that was captured."""

    def decide(self, account: str, dispute: str, /, *, won: bool) -> None:
        """Decide a dispute for the shop, or for the customer."""

    def pay_out(self, account: str, /) -> None:
        """Pay out the balance to the bank."""

    def settle(self, account: str, payout: str, /, *, arrives: bool) -> None:
        """Let a payout arrive at the bank, or come back."""


_ACTIONS: Mapping[str, Callable[[Bank, str, str], None]] = {
    "Confirm": lambda bank, account, about: bank.confirm(account, about, accept=True),
    "Decline": lambda bank, account, about: bank.confirm(account, about, accept=False),
    "Let it lapse": lambda bank, account, about: bank.lapse(account, about),
    "Dispute": lambda bank, account, about: bank.dispute(account, about),
    "Decide for the shop": lambda bank, account, about: bank.decide(account, about, won=True),
    "Decide for the customer": lambda bank, account, about: bank.decide(account, about, won=False),
    "Pay out": lambda bank, account, _: bank.pay_out(account),
    "Let it arrive": lambda bank, account, about: bank.settle(account, about, arrives=True),
    "Let it come back": lambda bank, account, about: bank.settle(account, about, arrives=False),
}


class Shown(NamedTuple):
    """A row of the page, and what can be done."""

    what: str
    id: str
    about: str
    amount: str
    status: str
    actions: tuple[str, ...]


def page(store: Store) -> str:
    """Return the page."""
    return _HEAD + "".join(_account(store, account) for account in store.accounts() if account != "-")


def act(stripe: Bank, paypal: Bank, store: Store, body: str) -> None:
    """Do what a button of the page asks for."""
    fields = {name: values[0] for name, values in parse_qs(body).items()}
    account, about = fields.get("account", ""), fields.get("about", "")
    do = _ACTIONS.get(fields.get("action", ""))
    if do and account in store.accounts():
        do(paypal if account.startswith("paypal_") else stripe, account, about)


def _account(store: Store, account: str) -> str:
    kinds = (_intents, _orders, _disputes, _payouts)
    rows = "".join(_row(account, each) for kind in kinds for each in kind(store, account))
    provider = "PayPal" if account.startswith("paypal_") else "Stripe"
    pay_out = _button(account, "", "Pay out")
    return f"<h2>{provider} {escape(account)}</h2><p>{pay_out}</p><table>{_HEADER}{rows}</table>"


def _intents(store: Store, account: str) -> Iterator[Shown]:
    """Yield the payments of an account at Stripe."""
    waits = ("requires_payment_method", "requires_confirmation", "requires_action")
    actions: dict[str, tuple[str, ...]] = dict.fromkeys(waits, ("Confirm", "Decline"))
    actions |= {"requires_capture": ("Let it lapse",)}
    for each in store.all(account, "payment_intent")[:_MOST]:
        about = str(each["metadata"].get("order", ""))
        can = actions.get(each["status"], ("Dispute",) if each["status"] == "succeeded" else ())
        yield Shown("payment", each["id"], about, _cents(each), each["status"], can)


def _orders(store: Store, account: str) -> Iterator[Shown]:
    """Yield the payments of an account at PayPal."""
    actions = {"PAYER_ACTION_REQUIRED": ("Confirm", "Decline"), "COMPLETED, CREATED": ("Let it lapse",)}
    for each in store.all(account, "order")[:_MOST]:
        unit: dict[str, Any] = each["purchase_units"][0]
        made = unit.get("payments", {})
        last = [*made.get("authorizations", []), *made.get("captures", [])][-1:]
        status = each["status"] if not last else f"{each['status']}, {last[0]['status']}"
        can = actions.get(status, ("Dispute",) if made.get("captures") else ())
        amount = f"{unit['amount']['value']} {unit['amount']['currency_code']}"
        yield Shown("payment", each["id"], str(unit.get("custom_id", "")), amount, status, can)


def _disputes(store: Store, account: str) -> Iterator[Shown]:
    for each in store.all(account, "dispute")[:_MOST]:
        is_open = each["status"] not in {"won", "lost", "RESOLVED"}
        can = ("Decide for the shop", "Decide for the customer") if is_open else ()
        about = str(each.get("payment_intent") or each.get("_capture"))
        amount = _cents(each) if "amount" in each else each["dispute_amount"]["value"]
        yield Shown("dispute", each["id"], about, amount, each["status"], can)


def _payouts(store: Store, account: str) -> Iterator[Shown]:
    for each in store.all(account, "payout")[:_MOST]:
        can = ("Let it arrive", "Let it come back") if each["status"] == "in_transit" else ()
        yield Shown("payout", each["id"], "", _cents(each), each["status"], can)


def _cents(each: Mapping[str, Any]) -> str:
    return f"{each['amount']} {each['currency'].upper()} (smallest units)"


def _row(account: str, each: Shown) -> str:
    buttons = "".join(_button(account, each.id, action) for action in each.actions)
    cells = (*(escape(text) for text in each[:5]), buttons)
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _button(account: str, about: str, action: str) -> str:
    hidden = {"account": account, "about": about, "action": action}
    fields = "".join(f'<input type="hidden" name="{name}" value="{escape(value)}">' for name, value in hidden.items())
    return f'<form method="post">{fields}<button>{action}</button></form> '
