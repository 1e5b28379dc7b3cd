"""Page of the simulators for people: accounts, payments, and what the customer's bank can do with them."""

from html import escape
from typing import Any
from urllib.parse import parse_qs, quote

from local.simulators.store import Store
from local.simulators.stripe.api import Stripe

_HEAD = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Simulated payment providers</title>
<style>body{font:16px/1.5 system-ui;margin:2rem auto;max-width:60rem;padding:0 1rem}table{border-collapse:collapse;
width:100%}td,th{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #ccc}form{display:inline}</style>
<h1>Simulated payment providers</h1><p>Nothing here is real money. An account appears with its first payment.</p>"""
_CAN_CONFIRM = ("requires_payment_method", "requires_confirmation", "requires_action")
ACTIONS = {"confirm": "Confirm", "decline": "Decline", "lapse": "Let it lapse"}


def page(store: Store) -> str:
    """Return the page."""
    return _HEAD + "".join(_account(store, account) for account in store.accounts())


def act(stripe: Stripe, body: str) -> None:
    """Do what a button of the page asks for. What cannot be done is left undone."""
    fields = {name: values[0] for name, values in parse_qs(body).items()}
    account, intent = fields.get("account", ""), fields.get("intent", "")
    if stripe.store.get(account, "payment_intent", intent) is None:
        return
    if fields.get("action") == "lapse":
        stripe.lapse(account, intent)
    elif fields.get("action") in ACTIONS:
        stripe.confirm(account, intent, accept=fields["action"] == "confirm")


def _account(store: Store, account: str) -> str:
    net = sum(each["net"] for each in store.all(account, "balance_transaction"))
    rows = "".join(_row(account, each) for each in store.all(account, "payment_intent")[:100])
    events = store.all(account, "event")[:1]
    last = f", last event {escape(events[0]['type'])}" if events else ""
    return f"<h2>Stripe {escape(account)}</h2><p>Balance {net} (smallest units){last}</p><table>{_HEADER}{rows}</table>"


_HEADER = "<tr><th>Payment</th><th>Order</th><th>Amount</th><th>Status</th><th></th></tr>"


def _row(account: str, intent: dict[str, Any]) -> str:
    order = escape(str(intent["metadata"].get("order", "")))
    amount = f"{intent['amount']} {escape(intent['currency'].upper())}"
    buttons = "".join(_button(account, intent["id"], action) for action in _actions(intent["status"]))
    cells = (escape(intent["id"]), order, amount, escape(intent["status"]), buttons)
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _actions(status: str) -> list[str]:
    if status in _CAN_CONFIRM:
        return ["confirm", "decline"]
    return ["lapse"] if status == "requires_capture" else []


def _button(account: str, intent: str, action: str) -> str:
    hidden = {"account": account, "intent": intent, "action": action}
    fields = "".join(f'<input type="hidden" name="{name}" value="{quote(value)}">' for name, value in hidden.items())
    return f'<form method="post">{fields}<button>{ACTIONS[action]}</button></form> '
