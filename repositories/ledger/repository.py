"""The ledger: accounts, postings, reversals, and balances now or at an instant."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.common.environment import in_parallel
from domain.common.errors import AlreadyReversed, Contention, Flaw, InsufficientFunds, InvalidState, NotFound
from domain.common.events import DomainEvent
from domain.common.ids import is_id, new_id
from domain.common.money import SignedMoney
from domain.common.pages import Page, PageRequest
from domain.common.validation import invalid_input
from domain.ledger.accounts import RESERVED_CODES, Account, AccountStatus, NewAccount, require_stripable
from domain.ledger.posting import SETTLED_AFTER, ChainHead
from domain.ledger.reports import Balance, Entry, TrialBalance
from domain.ledger.transactions import NewTransaction, Transaction, TransactionSummary
from repositories.dynamodb import keys
from repositories.dynamodb.codec import Row
from repositories.dynamodb.iam_actions import IamAction, uses
from repositories.dynamodb.session import Session, retry_on_conflict
from repositories.dynamodb.transaction import Stale, WriteTransaction, require_absent
from repositories.ledger.chains import Chains, is_final
from repositories.ledger.entries import entries_page
from repositories.ledger.posting import COMMIT_SECONDS, Draft, add_account, post, swapped
from repositories.ledger.rows import (
    ACCOUNTS,
    TRANSACTIONS,
    account_from_row,
    account_to_row,
    closing_to_row,
    summary_from_row,
    transaction_from_row,
)
from repositories.ledger.trial_balance import TrialBalances
from repositories.paging.lists import Listing, list_page


@dataclass(frozen=True, slots=True)
class LedgerRepository:
    """The ledger of the caller's tenant."""

    session: Session

    @property
    def _chains(self) -> Chains:
        return Chains(self.session.table, self.session.tenant)

    @uses(IamAction.PUT)
    def open_account(self, new: NewAccount) -> Account:
        """Open an account. Raises ValidationFailed for a reserved code, InvalidState if the code is taken."""
        if new.code.startswith(RESERVED_CODES):
            raise invalid_input([Flaw("/code", "RESERVED", "Such codes are for accounts that orders post to.")])
        return self.add_account(Account.new(new_id("acct"), new, self.session.at))

    def add_account(self, account: Account) -> Account:
        """Open an account with a given id. Raises InvalidState if its code is taken."""
        tx = self.session.transaction()
        add_account(tx, self.session.tenant, account, _taken(account.code))
        self.session.commit(tx, account, DomainEvent("AccountOpened", account.id, 1))
        return account

    @uses(IamAction.GET)
    @retry_on_conflict
    def account(self, account_id: str) -> Account:
        """Return an account. Raises NotFound, Contention."""
        return self._account(account_id)

    def _account(self, account_id: str) -> Account:
        known = is_id("acct", account_id)
        row = self.session.find(keys.account(self.session.tenant, account_id)) if known else None
        if row is None:
            raise NotFound("account")
        return account_from_row(row)

    @uses(IamAction.LIST)
    def accounts(self, page: PageRequest) -> Page[Account]:
        """Return a page of the accounts. Raises CursorInvalid."""
        rows, cursor = list_page(Listing.of_all(self.session, ACCOUNTS), page)
        return Page(items=[account_from_row(row) for row in rows], next_cursor=cursor)

    @uses(IamAction.GET, IamAction.PUT)
    @retry_on_conflict
    def stripe_account(self, account_id: str, count: int) -> Account:
        """Spread future entries of an account over `count` stripes. Raises NotFound, InvalidState, Contention."""
        account = self._account(account_id)
        _require_open(account)
        require_stripable(account, count)
        if count == account.stripes:
            self.session.commit(self.session.transaction(), account)
            return account
        striped, tx = self._changing(account, {"stripes": count})
        self.session.commit(tx, striped, self._event("AccountStriped", striped, stripes=count))
        return striped

    def _event(self, kind: str, account: Account, **data: Any) -> DomainEvent:
        return DomainEvent(kind, account.id, account.version, data, account.changed_at)

    def _changing(self, account: Account, changes: dict[str, object]) -> tuple[Account, WriteTransaction]:
        at = max(self.session.at, account.changed_at or account.created_at)
        changed = account.model_copy(update=changes | {"version": account.version + 1, "changed_at": at})
        tx = self.session.transaction()
        tx.put(
            "change the account",
            account_to_row(self.session.tenant, changed),
            condition="version = :seen",
            raises=Stale(),
            seen=account.version,
        )
        return changed, tx

    @uses(IamAction.GET, IamAction.QUERY, IamAction.PUT)
    @retry_on_conflict
    def close_account(self, account_id: str) -> Account:
        """Close an account with a zero balance, permanently. Raises NotFound, InvalidState, Contention."""
        heads = self._heads(account_id)
        account = heads[0].account
        _require_open(account)
        if account.code.startswith(RESERVED_CODES):
            raise InvalidState("Orders post to this account.")
        if sum(head.balance for head in heads):
            raise InvalidState("The account's balance is not zero.")
        closed, tx = self._changing(account, {"status": AccountStatus.CLOSED})
        for head in heads:
            tx.create("end the chain", closing_to_row(self.session.tenant, head, self.session.at), raises=Stale())
        self.session.commit(tx, closed, self._event("AccountClosed", closed))
        return closed

    @uses(IamAction.GET, IamAction.QUERY, IamAction.BATCH_GET)
    def balance(self, account_id: str, as_of: datetime | None) -> Balance:
        """Return an account's balance at an instant; None: now. Raises NotFound, Contention.

        If postings to several stripes are too frequent for a consistent sum, "now" is the last settled instant.
        """
        settled = self.session.at - SETTLED_AFTER
        if as_of and as_of <= settled:
            heads = self.session.retry_on_conflict(lambda: self._heads(account_id))
        else:
            try:
                heads = self.session.retry_on_conflict(lambda: self._heads_at_one_moment(account_id))
            except Contention:
                if as_of:
                    raise
                return self.balance(account_id, settled)
        return self.session.retry_on_conflict(lambda: self._balance(heads, as_of))

    def _balance(self, heads: Sequence[ChainHead], as_of: datetime | None) -> Balance:
        instant = as_of or max([self.session.at, *(head.at for head in heads if head.at)])
        then = in_parallel(lambda head: self._chains.at(head, instant), heads)
        account = heads[0].account
        return Balance(
            account_id=account.id,
            balance=SignedMoney.of_minor(sum(head.balance for head in then), account.currency),
            entries=sum(head.sequence for head in then),
            as_of=instant,
            final=is_final(heads, instant, self.session.at - SETTLED_AFTER),
        )

    @uses(IamAction.GET, IamAction.QUERY, IamAction.SIGN)
    def entries(self, account_id: str, page: PageRequest) -> Page[Entry]:
        """Return a page of an account's entries, newest first. Raises NotFound, CursorInvalid, Contention."""
        account = self.account(account_id)
        return self.session.retry_on_conflict(lambda: entries_page(self.session, account, page))

    @uses(IamAction.GET, IamAction.QUERY, IamAction.PUT)
    def post(self, new: NewTransaction) -> Transaction:
        """Post a transaction. Raises ValidationFailed, InsufficientFunds, Contention."""
        draft = Draft(new.description, new.entries, effective_date=new.effective_date, reference=new.reference)
        return self.post_draft(draft)

    @retry_on_conflict
    def post_draft(self, draft: Draft) -> Transaction:
        """Post a draft, with its id if it has one. Raises as `post`, and AlreadyReversed."""
        return self._post(draft, self._ends(draft))

    @uses(IamAction.GET, IamAction.QUERY, IamAction.PUT, IamAction.UPDATE)
    @retry_on_conflict
    def reverse(self, transaction_id: str) -> Transaction:
        """Post the reversal of a transaction, once. Raises NotFound, AlreadyReversed, InvalidState and as `post`."""
        row = self._row(transaction_id)
        original = transaction_from_row(row)
        if original.reversed_by:
            raise AlreadyReversed
        if "order_id" in row["head"]:
            raise InvalidState("It belongs to an order: refund that.")
        draft = Draft(
            f"Reversal: {original.description}"[:500],
            swapped(original.entries),
            reference=original.reference,
            reverses=original.id,
            after=original.posted_at,
        )
        heads = self._ends(draft)
        if len(heads) < len({entry.account_id for entry in draft.entries}):
            raise Stale
        if any(head.account.status is AccountStatus.CLOSED for head in heads.values()):
            self._require_standing(original.id)
            raise InvalidState("An account of the transaction is closed.")
        try:
            return self._post(draft, heads)
        except InsufficientFunds as short:
            index = int(short.flaws[0].pointer.rpartition("/")[2])
            self._require_standing(original.id, heads[draft.entries[index].account_id])
            # Without pointers, which would refer to entries that the client did not send.
            raise InsufficientFunds from None

    def _require_standing(self, transaction_id: str, *heads: ChainHead) -> None:
        """Raise Stale unless a snapshot has these chain heads, and the transaction as not reversed.

        A refusal to reverse needs this check: separate reads may return one row as changed by a reversal, another not.
        """
        tenant = self.session.tenant
        ends = [(head, keys.entry(tenant, head.account.id, head.stripe, head.sequence)) for head in heads]
        nexts = [keys.entry(tenant, head.account.id, head.stripe, head.sequence + 1) for head in heads]
        there = [keys.transaction(tenant, transaction_id), *(key for head, key in ends if head.sequence)]
        rows = self.session.table.snapshot([*there, *nexts])
        if rows is None or len(rows) != len(there) or "reversed_by" in rows[0]["head"]:
            raise Stale

    def _ends(self, draft: Draft) -> dict[str, ChainHead]:
        ends = self._chains.to_write(entry.account_id for entry in draft.entries)
        self._require_no_account(*(entry.account_id for entry in draft.entries if entry.account_id not in ends))
        return ends

    def _require_no_account(self, *account_ids: str) -> None:
        ids = (each for each in dict.fromkeys(account_ids) if is_id("acct", each))
        require_absent(self.session.table, (keys.account(self.session.tenant, each) for each in ids))

    def _post(self, draft: Draft, heads: Mapping[str, ChainHead]) -> Transaction:
        tx = self.session.transaction()
        transaction, events = post(tx, self.session, draft, heads)
        self.session.within(COMMIT_SECONDS).commit(tx, transaction, *events)
        return transaction

    @uses(IamAction.GET)
    @retry_on_conflict
    def transaction(self, transaction_id: str) -> Transaction:
        """Return a transaction. Raises NotFound, Contention."""
        return transaction_from_row(self._row(transaction_id))

    @uses(IamAction.LIST, IamAction.LIST_BELOW)
    def transactions(self, reference: str | None, page: PageRequest) -> Page[TransactionSummary]:
        """Return a page of the transactions, or of those with a reference. Raises CursorInvalid."""
        session = self.session
        listing = Listing.of_all(session, TRANSACTIONS)
        if reference is not None:
            pk = keys.referring(session.tenant, reference)
            listing = Listing(session.table, "gsi2", [pk], pk)
        rows, cursor = list_page(listing, page)
        return Page(items=[summary_from_row(row) for row in rows], next_cursor=cursor)

    @uses(IamAction.QUERY, IamAction.BATCH_GET)
    def trial_balance(self, as_of: datetime | None) -> TrialBalance:
        """Return every account's balance at one instant; None: now. Raises InvalidState, Unavailable, Contention."""
        return TrialBalances(self.session).at(as_of)

    def _heads_at_one_moment(self, account_id: str) -> list[ChainHead]:
        """Return the heads of an account's stripes at one moment. Raises NotFound, Stale on concurrent postings."""
        heads = self._heads(account_id)
        if len(heads) > 1 and self._heads(account_id) != heads:
            raise Stale
        return heads

    def _heads(self, account_id: str) -> list[ChainHead]:
        heads = self._chains.all(account_id)
        if not heads:
            self._require_no_account(account_id)
            raise NotFound("account")
        return heads

    def _row(self, transaction_id: str) -> Row:
        known = is_id("txn", transaction_id)
        row = self.session.find(keys.transaction(self.session.tenant, transaction_id)) if known else None
        if row is None:
            raise NotFound("transaction")
        return row


def _require_open(account: Account) -> None:
    if account.status is AccountStatus.CLOSED:
        raise InvalidState("The account is closed.")


def _taken(code: str) -> InvalidState:
    return InvalidState("Another account has this code.", Flaw("/code", "CODE_TAKEN", f"{code} is another account's."))
