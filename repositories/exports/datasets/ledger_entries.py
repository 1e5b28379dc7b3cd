"""Entries of the ledger's transactions."""

from collections.abc import Iterable

from domain.common.model import to_rfc3339
from domain.ledger.accounts import Account, Direction
from domain.ledger.transactions import Transaction
from repositories.dynamodb import keys
from repositories.exports.datasets.records import Column, Kind, Reader, Record, Source
from repositories.exports.walking import Stretch
from repositories.ledger.rows import TRANSACTIONS, account_from_row, entry_locations, transaction_from_row


def _records(source: Source, stretch: Stretch) -> Iterable[Record]:
    read = [(transaction_from_row(row), entry_locations(row)) for row in source.whole_rows(stretch.rows)]
    accounts = _accounts(source, {entry.account_id for transaction, _ in read for entry in transaction.entries})
    for transaction, places in read:
        for number, (*_, stripe, sequence) in enumerate(places, start=1):
            account = accounts[transaction.entries[number - 1].account_id]
            yield _record(source, transaction, number, account, stripe, sequence)


def _accounts(source: Source, ids: Iterable[str]) -> dict[str, Account]:
    """Return the accounts with these ids; what changes of one is not exported, so that each is read once."""
    unknown = [keys.account(source.session.tenant, each) for each in ids if each not in source.known]
    for row in source.session.table.batch_get(unknown).values():
        account = account_from_row(row)
        source.known[account.id] = account
    return source.known


def _record(
    source: Source, transaction: Transaction, number: int, account: Account, stripe: int, sequence: int
) -> Record:
    entry = transaction.entries[number - 1]
    is_debit = entry.direction is Direction.DEBIT
    return (
        transaction.id,
        number,
        account.id,
        account.code,
        account.name,
        account.type.value,
        stripe,
        sequence,
        entry.direction.value,
        entry.amount.decimal if is_debit else None,
        None if is_debit else entry.amount.decimal,
        entry.amount.currency,
        transaction.description,
        transaction.reference,
        transaction.effective_date.isoformat() if transaction.effective_date else None,
        transaction.reverses,
        transaction.posted_by,
        to_rfc3339(transaction.posted_at),
        source.exported_at,
    )


LEDGER_ENTRIES = Reader(
    columns=(
        Column("transaction_id"),
        Column("entry", Kind.NUMBER),
        Column("account_id"),
        Column("account_code"),
        Column("account_name"),
        Column("account_type"),
        Column("stripe", Kind.NUMBER),
        Column("sequence", Kind.NUMBER),
        Column("direction"),
        Column("debit", Kind.MONEY),
        Column("credit", Kind.MONEY),
        Column("currency"),
        Column("description"),
        Column("reference"),
        Column("effective_date", Kind.DAY),
        Column("reverses"),
        Column("posted_by"),
        Column("posted_at", Kind.TIME),
        Column("exported_at", Kind.TIME),
    ),
    collections=(TRANSACTIONS,),
    records=_records,
    events=frozenset({"TransactionPosted"}),
    key=keys.transaction,
)
