"""Page of the simulators for people: accounts, payments, and what customers and their banks can do with them."""

from collections.abc import Callable, Iterator
from html import escape
from typing import Any, NamedTuple
from urllib.parse import parse_qs, quote

from local.simulators.paypal.api import PayPal
from local.simulators.store import Store
from local.simulators.stripe.api import Stripe

_HEAD = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Simulated payment providers</title>
<style>body{font:16px/1.5 system-ui;margin:2rem auto;max-width:60rem;padding:0 1rem}table{border-collapse:collapse;
width:100%}td,th{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #ccc}form{display:inline}</style>
<h1>Simulated payment providers</h1><p>Nothing here is real money. An account appears with its first payment.</p>"""
_HEADER = "<tr><th>Payment</th><th>Order</th><th>Amount</th><th>Status</th><th></th></tr>"
_LABELS = {"confirm": "Confirm", "decline": "Decline", "lapse": "Let it lapse"}
_MOST = 100


class Shown(NamedTuple):
    """A payment as the page shows it, and what can be done with it."""

    id: str
    about: str
    amount: str
    status: str
    actions: tuple[str, ...]


def page(store: Store) -> str:
    """Return the page."""
    return _HEAD + "".join(_account(store, account) for account in store.accounts() if account != "-")


def act(stripe: Stripe, paypal: PayPal, body: str) -> None:
    """Do what a button of the page asks for. What cannot be done is left undone."""
    fields = {name: values[0] for name, values in parse_qs(body).items()}
    account, payment, action = (fields.get(name, "") for name in ("account", "payment", "action"))
    confirm: Callable[..., None]
    lapse: Callable[[str, str], None]
    if stripe.store.get(account, "payment_intent", payment):
        confirm, lapse = stripe.confirm, stripe.lapse
    elif stripe.store.get(account, "order", payment):
        confirm, lapse = paypal.approve, paypal.lapse
    else:
        return
    if action == "lapse":
        lapse(account, payment)
    elif action in {"confirm", "decline"}:
        confirm(account, payment, accept=action == "confirm")


def _account(store: Store, account: str) -> str:
    rows = "".join(_row(account, each) for each in [*_intents(store, account), *_orders(store, account)])
    provider = "PayPal" if account.startswith("paypal_") else "Stripe"
    return f"<h2>{provider} {escape(account)}</h2><table>{_HEADER}{rows}</table>"


def _intents(store: Store, account: str) -> Iterator[Shown]:
    """Yield the payments of an account at Stripe."""
    actions = {"requires_capture": ("lapse",)} | dict.fromkeys(
        ("requires_payment_method", "requires_confirmation", "requires_action"), ("confirm", "decline")
    )
    for each in store.all(account, "payment_intent")[:_MOST]:
        amount = f"{each['amount']} {each['currency'].upper()} (smallest units)"
        about = str(each["metadata"].get("order", ""))
        yield Shown(each["id"], about, amount, each["status"], actions.get(each["status"], ()))


def _orders(store: Store, account: str) -> Iterator[Shown]:
    """Yield the payments of an account at PayPal."""
    for each in store.all(account, "order")[:_MOST]:
        unit: dict[str, Any] = each["purchase_units"][0]
        made = unit.get("payments", {})
        last = [*made.get("authorizations", []), *made.get("captures", [])][-1:]
        status = each["status"] if not last else f"{each['status']}, {last[0]['status']}"
        actions = {"PAYER_ACTION_REQUIRED": ("confirm", "decline"), "COMPLETED, CREATED": ("lapse",)}.get(status, ())
        amount = f"{unit['amount']['value']} {unit['amount']['currency_code']}"
        yield Shown(each["id"], str(unit.get("custom_id", "")), amount, status, actions)


def _row(account: str, each: Shown) -> str:
    buttons = "".join(_button(account, each.id, action) for action in each.actions)
    cells = (*(escape(text) for text in each[:4]), buttons)
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _button(account: str, payment: str, action: str) -> str:
    hidden = {"account": account, "payment": payment, "action": action}
    fields = "".join(f'<input type="hidden" name="{name}" value="{quote(value)}">' for name, value in hidden.items())
    return f'<form method="post">{fields}<button>{_LABELS[action]}</button></form> '
