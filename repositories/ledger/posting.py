"""Posting: the steps that append a transaction's entries to their chains."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from domain.common.environment import monotonic, now
from domain.common.errors import AlreadyReversed
from domain.common.events import Event
from domain.common.ids import new_id
from domain.ledger.accounts import Account, NewEntry, Tail, Transaction, appended, posting_time, require_postable
from repositories.dynamodb import keys
from repositories.dynamodb.session import Session
from repositories.dynamodb.transaction import Stale
from repositories.dynamodb.transaction import Transaction as Steps
from repositories.ledger.rows import account_row, code_row, entry_row, transaction_row

COMMIT_SECONDS = 5
"""How long a posting may try to be committed at the time that it was given; then it is given up."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A transaction to post."""

    description: str
    entries: Sequence[NewEntry]
    id: str | None = None
    effective_date: date | None = None
    reference: str | None = None
    reverses: str | None = None
    order_id: str | None = None


def post(steps: Steps, session: Session, draft: Draft, tails: Mapping[str, Tail]) -> tuple[Transaction, list[Event]]:
    """Add the steps that post a draft to the ends of its accounts' chains, and return it with its events.

    Raises ValidationFailed, InsufficientFunds, and Unavailable if a chain is ahead of the clock; the steps raise
    AlreadyReversed if what the draft reverses has been.
    """
    require_postable(draft.entries, {account_id: tail.account for account_id, tail in tails.items()})
    at = posting_time(now(), [tails[entry.account_id] for entry in draft.entries])
    posted = appended(draft.entries, tails, at)
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
    steps.write_along("keep the transaction", transaction_row(session.tenant, transaction, posted, draft.order_id))
    for each in posted:
        steps.create("append an entry", entry_row(session.tenant, transaction, each), Stale.because)
    events = [Event("TransactionPosted", transaction.id, 1)]
    if draft.reverses:
        _mark_reversed(steps, session.tenant, draft.reverses, by=transaction.id)
        events.append(Event("TransactionReversed", draft.reverses, 2))
    return transaction, events


def _mark_reversed(steps: Steps, tenant: str, transaction_id: str, by: str) -> None:
    """Add the step that notes by which transaction another one is reversed, which can happen once."""
    steps.update(
        "reverse once",
        keys.transaction(tenant, transaction_id),
        "SET head.reversed_by = :by",
        condition="attribute_not_exists(head.reversed_by)",
        refusal=lambda _row: AlreadyReversed(),
        by=by,
    )


def add_account(steps: Steps, tenant: str, account: Account, taken: Exception) -> None:
    """Add the steps that open an account; `taken` is raised if its code is."""
    steps.create("claim the code", code_row(tenant, account), lambda _row: taken)
    steps.write_along("open the account", account_row(tenant, account))


def swapped(entries: Sequence[NewEntry]) -> list[NewEntry]:
    """Return the entries that undo others."""
    return [entry.model_copy(update={"direction": entry.direction.opposite}) for entry in entries]


def soon(session: Session) -> Session:
    """Return the session with no more time than a posting may take at the time that it was given."""
    return replace(session, deadline=min(session.deadline, monotonic() + COMMIT_SECONDS))
