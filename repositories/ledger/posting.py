"""Steps that post a ledger transaction and append its entries to their chains."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from domain.common.environment import now
from domain.common.errors import AlreadyReversed
from domain.common.events import DomainEvent
from domain.common.ids import new_id
from domain.ledger.accounts import Account
from domain.ledger.posting import ChainHead, append_entries, posting_time, require_postable
from domain.ledger.transactions import NewEntry, Transaction
from repositories.dynamodb import keys
from repositories.dynamodb.session import Session
from repositories.dynamodb.transaction import Stale, WriteTransaction
from repositories.ledger.rows import account_to_row, code_to_row, entry_to_row, transaction_to_row

COMMIT_SECONDS = 5
"""Timeout in seconds for committing a posting with the time that was assigned to it."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A ledger transaction to post."""

    description: str
    entries: Sequence[NewEntry]
    id: str | None = None
    effective_date: date | None = None
    reference: str | None = None
    reverses: str | None = None
    order_id: str | None = None
    after: datetime | None = None
    """Time of the transaction that it reverses, if that is not one of the same order."""


def post(
    tx: WriteTransaction, session: Session, draft: Draft, heads: Mapping[str, ChainHead]
) -> tuple[Transaction, list[DomainEvent]]:
    """Add the steps that post a draft to the chain heads of its accounts; return the transaction and its events.

    Raises ValidationFailed, InsufficientFunds, and Unavailable if a chain is ahead of the clock. The steps raise Stale
    on a conflict, and AlreadyReversed if the transaction that the draft reverses has been reversed.
    """
    require_postable(draft.entries, {account_id: head.account for account_id, head in heads.items()})
    at = posting_time(now(), [heads[entry.account_id] for entry in draft.entries])
    posted = append_entries(draft.entries, heads, at)
    transaction = Transaction(
        id=draft.id or new_id("txn"),
        description=draft.description,
        effective_date=draft.effective_date,
        reference=draft.reference,
        reverses=draft.reverses,
        reversed_by=None,
        posted_at=at,
        posted_by=session.caller.subject,
        entries=list(draft.entries),
    )
    tx.put("keep the transaction", transaction_to_row(session.tenant, transaction, posted, draft.order_id))
    for each in posted:
        tx.create("append an entry", entry_to_row(session.tenant, transaction, each), raises=Stale())
    events = [DomainEvent("TransactionPosted", transaction.id, 1)]
    if draft.reverses:
        _mark_reversed(tx, session.tenant, draft.reverses, by=transaction.id)
        events.append(
            DomainEvent("TransactionReversed", draft.reverses, 2, {"reversed_by": transaction.id}, draft.after)
        )
    return transaction, events


def _mark_reversed(tx: WriteTransaction, tenant: str, transaction_id: str, by: str) -> None:
    """Add the step that marks a transaction as reversed by another one. It raises AlreadyReversed the second time."""
    tx.update(
        "reverse once",
        keys.transaction(tenant, transaction_id),
        "SET head.reversed_by = :by",
        condition="attribute_not_exists(head.reversed_by)",
        raises=AlreadyReversed(),
        by=by,
    )


def add_account(tx: WriteTransaction, tenant: str, account: Account, taken: Exception) -> None:
    """Add the steps that open an account. They raise `taken` if its code is in use."""
    tx.create("claim the code", code_to_row(tenant, account), raises=taken)
    tx.put("open the account", account_to_row(tenant, account))


def swapped(entries: Sequence[NewEntry]) -> list[NewEntry]:
    """Return the entries with debit and credit swapped."""
    return [entry.model_copy(update={"direction": entry.direction.opposite}) for entry in entries]
