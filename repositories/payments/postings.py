"""Ledger postings of orders: a payment debits cash and credits sales, shipping, fees and tax. A refund reverses it."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime

from domain.common.events import DomainEvent
from domain.common.ids import derived_id
from domain.common.money import Money
from domain.ledger.accounts import RESERVED_CODES, Account, AccountType, Direction, NewAccount
from domain.ledger.posting import ChainHead
from domain.ledger.transactions import NewEntry
from domain.orders import Charge, Order, OrderLine
from domain.pricing import ChargeKind
from repositories.dynamodb import keys
from repositories.dynamodb.session import Session
from repositories.dynamodb.transaction import Stale, WriteTransaction
from repositories.ledger.chains import Chains
from repositories.ledger.posting import Draft, add_account, post, swapped
from repositories.ledger.rows import transaction_from_row

SHOP_STRIPES = 4
"""Stripes of the accounts that orders post to: every payment of a shop writes to the same accounts."""
_TYPES = {
    "cash": AccountType.ASSET,
    "sales": AccountType.INCOME,
    "shipping": AccountType.INCOME,
    "fees": AccountType.INCOME,
    "tax": AccountType.LIABILITY,
}
"""Accounts of a shop in each currency."""
_OPENED = datetime.fromtimestamp(0, UTC)


def post_payment(tx: WriteTransaction, session: Session, order: Order) -> tuple[str | None, Sequence[DomainEvent]]:
    """Add the steps that post an order's total as cash against what it is for; return the transaction's id and events.

    The accounts are opened when they are first needed. An order with a total of zero posts nothing.
    """
    if order.total.minor == 0:
        return None, ()
    currency = order.total.currency
    credited = {part: minor for part, minor in credits_of(order).items() if minor}
    heads = _heads(tx, session, ["cash", *credited], currency)
    entries = [NewEntry(account_id=heads["cash"].account.id, direction=Direction.DEBIT, amount=order.total)]
    entries += [
        NewEntry(account_id=heads[part].account.id, direction=Direction.CREDIT, amount=Money.of_minor(minor, currency))
        for part, minor in credited.items()
    ]
    draft = Draft(f"Payment of {order.id}", entries, reference=order.id, order_id=order.id)
    transaction, events = post(tx, session, draft, {head.account.id: head for head in heads.values()})
    return transaction.id, events


def credits_of(order: Order) -> dict[str, int]:
    """Return what an order credits when it is paid, in minor units by part of the shop's accounts, net of tax."""
    sums = {"sales": 0, "shipping": 0, "fees": 0, "tax": order.tax_total.minor}
    for line in order.lines:
        sums["sales"] += line.total.minor - line.discount.minor - _tax_inside(order, line)
    for charge in order.charges:
        if charge.kind is not ChargeKind.DISCOUNT:
            part = "shipping" if charge.kind is ChargeKind.SHIPPING else "fees"
            sums[part] += charge.amount.minor - charge.discount.minor - _tax_inside(order, charge)
    return sums


def _tax_inside(order: Order, part: OrderLine | Charge) -> int:
    return part.tax.minor if order.prices_include_tax else 0


def post_refund(tx: WriteTransaction, session: Session, order: Order, paid_by: str | None) -> Sequence[DomainEvent]:
    """Add the steps that reverse the posting of an order's payment, and return the events.

    Does nothing without a posting. Raises Stale if the posting, or an account that it opened, is not visible yet.
    """
    if paid_by is None:
        return ()
    row = session.table.get(keys.transaction(session.tenant, paid_by))
    if row is None:
        raise Stale
    entries = swapped(transaction_from_row(row).entries)
    heads = Chains(session.table, session.tenant).to_write(entry.account_id for entry in entries)
    if len(heads) < len(entries):
        raise Stale
    draft = Draft(f"Refund of {order.id}", entries, reference=order.id, reverses=paid_by, order_id=order.id)
    _, events = post(tx, session, draft, heads)
    return events


def _heads(tx: WriteTransaction, session: Session, parts: Sequence[str], currency: str) -> dict[str, ChainHead]:
    """Return the chain heads of a shop's accounts by part; add the steps that open missing ones."""
    wanted = {part: shop_account(session, part, currency) for part in parts}
    found = Chains(session.table, session.tenant).to_write(account.id for account in wanted.values())
    for account in wanted.values():
        if account.id not in found:
            add_account(tx, session.tenant, account, Stale())
    return {part: found.get(account.id) or ChainHead(account, 0) for part, account in wanted.items()}


def shop_account(session: Session, part: str, currency: str) -> Account:
    """Return a shop's account for `part`, such as cash. Its id is derived from its code, so it needs no lookup."""
    code = _code(part, currency)
    account_id = shop_account_id(session.tenant, part, currency)
    new = NewAccount(code=code, name=f"{part.title()} ({currency})", type=_TYPES[part], currency=currency)
    return Account.new(account_id, new, session.at).model_copy(update={"stripes": SHOP_STRIPES})


def shop_account_id(tenant: str, part: str, currency: str) -> str:
    """Return the id of a shop's account for a part."""
    return derived_id("acct", _OPENED, hashlib.sha256(f"{tenant}\n{_code(part, currency)}".encode()).digest())


def _code(part: str, currency: str) -> str:
    return f"{RESERVED_CODES}{part}.{currency}"
