"""Ledger postings of orders: a payment debits what collected it and credits sales, shipping, fees and tax.

What collected it is cash, or the account for what a provider has not paid out. A refund reverses it.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from domain.common.events import DomainEvent
from domain.common.ids import derived_id
from domain.common.money import Money
from domain.ledger.accounts import RESERVED_CODES, Account, AccountType, Direction, NewAccount
from domain.ledger.posting import ChainHead
from domain.ledger.transactions import NewEntry
from domain.orders.order import Order
from domain.orders.refunding import Refunding
from domain.orders.revenue import ACCOUNTS, credits_of
from repositories.dynamodb.session import Session
from repositories.dynamodb.transaction import Stale, WriteTransaction
from repositories.ledger.chains import Chains
from repositories.ledger.posting import Draft, add_account, post, swapped
from repositories.orders.rows import PaidBy
from repositories.payments.rows import MANUAL, StoredPayment

SHOP_STRIPES = 4
"""Stripes of the accounts that orders post to: every payment of a shop writes to the same accounts."""
_TYPES = {
    "cash": AccountType.ASSET,
    "stripe": AccountType.ASSET,
    "paypal": AccountType.ASSET,
    "disputed": AccountType.ASSET,
    "sales": AccountType.INCOME,
    "shipping": AccountType.INCOME,
    "fees": AccountType.INCOME,
    "tax": AccountType.LIABILITY,
    "unapplied": AccountType.LIABILITY,
    "provider_fees": AccountType.EXPENSE,
    "chargebacks": AccountType.EXPENSE,
    "exchange": AccountType.EQUITY,
    "opening": AccountType.EQUITY,
}
"""Accounts of a shop in each currency."""
_OPENED = datetime.fromtimestamp(0, UTC)


def collecting_account(provider: str) -> str:
    """Return the account for what a provider has collected and not paid out: cash, for what was collected by hand."""
    return "cash" if provider == MANUAL else provider


def post_payment(tx: WriteTransaction, session: Session, order: Order, paid_by: PaidBy) -> Sequence[DomainEvent]:
    """Add the steps that post an order's total, as collected, against what it is for; return the events.

    The accounts are opened when they are first needed. A payment without a transaction id posts nothing.
    """
    if paid_by.transaction_id is None:
        return ()
    collected = collecting_account(paid_by.provider)
    currency = order.total.currency
    credited = {part: minor for part, minor in credits_of(order).items() if minor}
    heads = _heads(tx, session, [collected, *credited], currency)
    ids = {part: head.account.id for part, head in heads.items()}
    entries = _entries(ids, collected, credited, order.total)
    draft = Draft(f"Payment of {order.id}", entries, id=paid_by.transaction_id, reference=order.id, order_id=order.id)
    _, events = post(tx, session, draft, {head.account.id: head for head in heads.values()})
    return events


def post_refund(tx: WriteTransaction, session: Session, made: Refunding, paid_by: PaidBy) -> Sequence[DomainEvent]:
    """Add the steps that post a refund of a payment, and return the events.

    A refund of all of it at once reverses its transaction. Raises Stale if an account that the payment opened is not
    visible yet.
    """
    refund, order = made.refund, made.order
    if refund.transaction_id is None:
        return ()
    collected = collecting_account(paid_by.provider)
    ids = {part: shop_account_id(session.tenant, part, order.total.currency) for part in (collected, *ACCOUNTS)}
    entries = swapped(_entries(ids, collected, made.debits, refund.amount))
    heads = _heads_of(session, entries)
    draft = Draft(
        f"Refund of {order.id}",
        entries,
        id=refund.transaction_id,
        reference=order.id,
        reverses=paid_by.transaction_id if refund.amount == order.total else None,
        order_id=order.id,
    )
    _, events = post(tx, session, draft, heads)
    return events


def post_late(tx: WriteTransaction, session: Session, payment: StoredPayment) -> Sequence[DomainEvent]:
    """Add the steps that post money that came too late for its order, and is owed; return the events."""
    currency, collected = payment.amount.currency, collecting_account(payment.provider)
    heads = _heads(tx, session, [collected, "unapplied"], currency)
    ids = {part: head.account.id for part, head in heads.items()}
    entries = _entries(ids, collected, {"unapplied": payment.amount.minor}, payment.amount)
    draft = Draft(
        f"Late {payment.id}", entries, id=payment.transaction_id, reference=payment.order_id, order_id=payment.order_id
    )
    _, events = post(tx, session, draft, {head.account.id: head for head in heads.values()})
    return events


def post_given_back(tx: WriteTransaction, session: Session, payment: StoredPayment) -> Sequence[DomainEvent]:
    """Add the steps that reverse the posting of late money; return the events. Raises Stale as `post_refund` does."""
    currency, collected = payment.amount.currency, collecting_account(payment.provider)
    ids = {part: shop_account_id(session.tenant, part, currency) for part in (collected, "unapplied")}
    entries = swapped(_entries(ids, collected, {"unapplied": payment.amount.minor}, payment.amount))
    heads = _heads_of(session, entries)
    draft = Draft(
        f"Return of {payment.id}",
        entries,
        reference=payment.order_id,
        reverses=payment.transaction_id,
        order_id=payment.order_id,
    )
    _, events = post(tx, session, draft, heads)
    return events


class Posting(NamedTuple):
    """What a transaction that no order caused says."""

    description: str
    id: str | None
    reference: str | None


def post_sums(
    tx: WriteTransaction, session: Session, sums: Mapping[tuple[str, str], int], posting: Posting
) -> Sequence[DomainEvent]:
    """Add the steps that post debits (credits, if negative) by part and currency, and return the events.

    They are zero in sum for each currency.
    """
    entries, heads = [], dict[str, ChainHead]()
    for currency in sorted({currency for _, currency in sums}):
        moved = {part: minor for (part, code), minor in sums.items() if code == currency and minor}
        found = _heads(tx, session, [*moved], currency)
        heads |= {head.account.id: head for head in found.values()}
        entries += [_entry(found[part].account.id, minor, currency) for part, minor in moved.items()]
    draft = Draft(posting.description, entries, id=posting.id, reference=posting.reference)
    _, events = post(tx, session, draft, heads)
    return events


def _entry(account_id: str, debit: int, currency: str) -> NewEntry:
    direction = Direction.DEBIT if debit > 0 else Direction.CREDIT
    return NewEntry(account_id=account_id, direction=direction, amount=Money.of_minor(abs(debit), currency))


def _heads_of(session: Session, entries: Sequence[NewEntry]) -> Mapping[str, ChainHead]:
    """Return the chain heads for entries. Raises Stale if an account is not visible yet."""
    heads = Chains(session.table, session.tenant).to_write(entry.account_id for entry in entries)
    if len(heads) < len(entries):
        raise Stale
    return heads


def _entries(ids: Mapping[str, str], collected: str, credited: Mapping[str, int], total: Money) -> list[NewEntry]:
    """Return the entries that debit what collected a total, and credit the other accounts."""
    entries = [NewEntry(account_id=ids[collected], direction=Direction.DEBIT, amount=total)]
    entries += [
        NewEntry(account_id=ids[part], direction=Direction.CREDIT, amount=Money.of_minor(minor, total.currency))
        for part, minor in credited.items()
        if minor
    ]
    return entries


def _heads(tx: WriteTransaction, session: Session, parts: Sequence[str], currency: str) -> dict[str, ChainHead]:
    """Return the chain heads of a shop's accounts by part; add the steps that open missing ones."""
    wanted = {part: shop_account(session, part, currency) for part in parts}
    found = Chains(session.table, session.tenant).to_write(account.id for account in wanted.values())
    for account in wanted.values():
        if account.id not in found:
            add_account(tx, session.tenant, account, Stale())
    return {part: found.get(account.id) or ChainHead(account, 0) for part, account in wanted.items()}


def booked(session: Session, provider: str, currency: str) -> int:
    """Return what the books say that a provider has, in minor units. Raises Contention, Unavailable."""
    account_id = shop_account_id(session.tenant, collecting_account(provider), currency)
    heads = session.retry_on_conflict(lambda: Chains(session.table, session.tenant).all(account_id))
    return sum(head.balance for head in heads)


def shop_account(session: Session, part: str, currency: str) -> Account:
    """Return a shop's account for `part`, such as cash. Its id is derived from its code, so it needs no lookup."""
    code = _code(part, currency)
    account_id = shop_account_id(session.tenant, part, currency)
    name = part.replace("_", " ").title()
    new = NewAccount(code=code, name=f"{name} ({currency})", type=_TYPES[part], currency=currency)
    return Account.new(account_id, new, session.at).model_copy(update={"stripes": SHOP_STRIPES})


def shop_account_id(tenant: str, part: str, currency: str) -> str:
    """Return the id of a shop's account for a part."""
    return derived_id("acct", _OPENED, hashlib.sha256(f"{tenant}\n{_code(part, currency)}".encode()).digest())


def _code(part: str, currency: str) -> str:
    return f"{RESERVED_CODES}{part}.{currency}"
