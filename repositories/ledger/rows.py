"""Rows of the ledger: accounts, their chains of entries, transactions."""

import json
import zlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from domain.common.model import json_of, to_rfc3339
from domain.common.money import Money
from domain.ledger.accounts import Account
from domain.ledger.posting import ChainHead, PlannedEntry
from domain.ledger.transactions import NewEntry, Transaction, TransactionSummary
from repositories.dynamodb import keys
from repositories.dynamodb.codec import Row, new_row
from repositories.dynamodb.keys import Position

ACCOUNTS, TRANSACTIONS = "ACCOUNT", "TXN"


def account_to_row(tenant: str, account: Account) -> Row:
    """Return the row of an account. Only its number of stripes, status and version ever change."""
    at = Position(to_rfc3339(account.created_at), account.id)
    return new_row(
        keys.account(tenant, account.id),
        "account",
        head=json_of(account),
        version=account.version,
        **({"changed_at": to_rfc3339(account.changed_at)} if account.changed_at else {}),
        **keys.listed(tenant, ACCOUNTS, at),
    )


def code_to_row(tenant: str, account: Account) -> Row:
    """Return the row that registers an account under its code."""
    return new_row(keys.account_code(tenant, account.code), "code", account_id=account.id)


def account_from_row(row: Row) -> Account:
    """Return the account of a row."""
    return Account(**row["head"], changed_at=row.get("changed_at"))


def entry_to_row(tenant: str, transaction: Transaction, posted: PlannedEntry) -> Row:
    """Return the row of an entry of a chain, with the balance after it.

    `more` is the number of entries of the same transaction that follow in the chain: a reader that misses them retries.
    """
    head, entry = posted.head, transaction.entries[posted.index]
    return new_row(
        keys.entry(tenant, head.account.id, head.stripe, head.sequence),
        "entry",
        sequence=head.sequence,
        transaction_id=transaction.id,
        direction=entry.direction.value,
        amount=entry.amount.minor,
        currency=entry.amount.currency,
        balance=head.balance,
        posted_at=to_rfc3339(transaction.posted_at),
        **({"more": posted.more} if posted.more else {}),
    )


def closing_to_row(tenant: str, head: ChainHead, at: datetime) -> Row:
    """Return the row that ends a chain: it repeats the last entry under the key of the next, so none can follow."""
    key = keys.entry(tenant, head.account.id, head.stripe, head.sequence + 1)
    last = to_rfc3339(head.at or at)
    return new_row(key, "closing", sequence=head.sequence, balance=head.balance, posted_at=last)


def head_of(account: Account, stripe: int, row: Row | None) -> ChainHead:
    """Return the head of a stripe from its last row, if there is one."""
    if row is None:
        return ChainHead(account, stripe)
    return ChainHead(account, stripe, row["sequence"], row["balance"], datetime.fromisoformat(row["posted_at"]))


def transaction_to_row(
    tenant: str, transaction: Transaction, posted: Sequence[PlannedEntry], order_id: str | None = None
) -> Row:
    """Return the row of a transaction, with the location of each of its entries."""
    at = Position(to_rfc3339(transaction.posted_at), transaction.id)
    head: dict[str, str] = {
        "id": transaction.id,
        "description": transaction.description,
        "posted_at": at.at,
        "posted_by": transaction.posted_by,
    }
    optional: dict[str, str | None] = {
        "effective_date": transaction.effective_date.isoformat() if transaction.effective_date else None,
        "reference": transaction.reference,
        "reverses": transaction.reverses,
        "order_id": order_id,
    }
    head |= {name: value for name, value in optional.items() if value is not None}
    below = keys.listed_below(keys.referring(tenant, transaction.reference), at) if transaction.reference else {}
    return new_row(
        keys.transaction(tenant, transaction.id),
        "transaction",
        head=head,
        entries=_packed(transaction.entries, posted),
        **keys.listed(tenant, TRANSACTIONS, at),
        **below,
    )


def transaction_from_row(row: Row) -> Transaction:
    """Return the transaction of a row."""
    entries = [
        NewEntry(account_id=account_id, direction=direction, amount=Money.of_minor(amount, currency))
        for account_id, direction, amount, currency, _, _ in entry_locations(row)
    ]
    return Transaction(**_shown(row), entries=entries)


def entry_locations(row: Row) -> list[list[Any]]:
    """Return for each entry: account id, direction, amount in minor units, currency, stripe, sequence number."""
    places: list[list[Any]] = json.loads(zlib.decompress(row["entries"]))
    return places


def summary_from_row(row: Row) -> TransactionSummary:
    """Return a transaction as lists show it."""
    return TransactionSummary(**_shown(row))


def _shown(row: Row) -> dict[str, Any]:
    head = row["head"]
    return {name: head.get(name) for name in TransactionSummary.model_fields}


def _packed(entries: Sequence[NewEntry], posted: Sequence[PlannedEntry]) -> bytes:
    packed = [
        [
            entry.account_id,
            entry.direction.value,
            entry.amount.minor,
            entry.amount.currency,
            each.head.stripe,
            each.head.sequence,
        ]
        for entry, each in zip(entries, posted, strict=True)
    ]
    return zlib.compress(json.dumps(packed).encode())
