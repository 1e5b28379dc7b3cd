"""Ledger postings of orders: a payment debits cash and credits sales, a refund reverses that."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime

from domain.common.events import DomainEvent
from domain.common.ids import derived_id
from domain.ledger.accounts import RESERVED_CODES, Account, AccountType, Direction, NewAccount
from domain.ledger.posting import ChainHead
from domain.ledger.transactions import NewEntry
from domain.orders import Order
from repositories.dynamodb import keys
from repositories.dynamodb.session import Session
from repositories.dynamodb.transaction import Stale, WriteTransaction
from repositories.ledger.chains import Chains
from repositories.ledger.posting import Draft, add_account, post, swapped
from repositories.ledger.rows import transaction_from_row

SHOP_STRIPES = 4
"""Stripes of the accounts that orders post to: every payment of a shop writes to the same two accounts."""
_OPENED = datetime.fromtimestamp(0, UTC)


def post_payment(tx: WriteTransaction, session: Session, order: Order) -> tuple[str | None, Sequence[DomainEvent]]:
    """Add the steps that post an order's total as cash against sales; return the transaction's id and events.

    The accounts are opened when they are first needed. An order with a total of zero posts nothing.
    """
    if order.total.minor == 0:
        return None, ()
    cash, sales = _heads(tx, session, order.total.currency)
    entries = [
        NewEntry(account_id=cash.account.id, direction=Direction.DEBIT, amount=order.total),
        NewEntry(account_id=sales.account.id, direction=Direction.CREDIT, amount=order.total),
    ]
    draft = Draft(f"Payment of {order.id}", entries, reference=order.id, order_id=order.id)
    transaction, events = post(tx, session, draft, {head.account.id: head for head in (cash, sales)})
    return transaction.id, events


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


def _heads(tx: WriteTransaction, session: Session, currency: str) -> tuple[ChainHead, ChainHead]:
    """Return the chain heads of a shop's cash and sales accounts; add the steps that open missing ones."""
    wanted = [
        _shop_account(session, "cash", AccountType.ASSET, currency),
        _shop_account(session, "sales", AccountType.INCOME, currency),
    ]
    found = Chains(session.table, session.tenant).to_write(account.id for account in wanted)
    for account in wanted:
        if account.id not in found:
            add_account(tx, session.tenant, account, Stale())
    cash, sales = (found.get(account.id) or ChainHead(account, 0) for account in wanted)
    return cash, sales


def _shop_account(session: Session, part: str, kind: AccountType, currency: str) -> Account:
    """Return a shop's account for `part`, such as cash. Its id is derived from its code, so it needs no lookup."""
    code = f"{RESERVED_CODES}{part}.{currency}"
    account_id = derived_id("acct", _OPENED, hashlib.sha256(f"{session.tenant}\n{code}".encode()).digest())
    new = NewAccount(code=code, name=f"{part.title()} ({currency})", type=kind, currency=currency)
    return Account.new(account_id, new, session.at).model_copy(update={"stripes": SHOP_STRIPES})
