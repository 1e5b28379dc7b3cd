"""The ledger: accounts, postings, reversals, balances now and then."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.common.environment import in_parallel
from domain.common.errors import AlreadyReversed, Contention, Flaw, InsufficientFunds, InvalidState, NotFound
from domain.common.events import Event
from domain.common.ids import is_id, new_id
from domain.common.money import SignedMoney
from domain.common.pages import Page, PageRequest
from domain.common.validation import invalid_input
from domain.ledger.accounts import (
    RESERVED_CODES,
    SETTLED_AFTER,
    Account,
    AccountStatus,
    NewAccount,
    Tail,
    Transaction,
    TransactionSummary,
)
from domain.ledger.reports import Balance, Entry, NewTransaction, TrialBalance, require_stripable
from repositories.dynamodb import keys
from repositories.dynamodb.codec import Row
from repositories.dynamodb.session import Session
from repositories.dynamodb.transaction import Stale, require_absent
from repositories.dynamodb.transaction import Transaction as Steps
from repositories.ledger.chains import Chains, is_final
from repositories.ledger.entries import entries_page
from repositories.ledger.posting import Draft, add_account, post, soon, swapped
from repositories.ledger.rows import (
    ACCOUNTS,
    TRANSACTIONS,
    account_of,
    account_position,
    account_row,
    closing_row,
    position,
    summary,
    transaction_of,
)
from repositories.ledger.trial_balance import TrialBalances
from repositories.paging.lists import Listing, list_page


@dataclass(frozen=True, slots=True)
class LedgerRepository:
    """The books of the caller's tenant."""

    session: Session

    @property
    def _chains(self) -> Chains:
        return Chains(self.session.table, self.session.tenant)

    def open_account(self, new: NewAccount) -> Account:
        """Open an account. Raises ValidationFailed for a reserved code."""
        if new.code.startswith(RESERVED_CODES):
            raise invalid_input([Flaw("/code", "RESERVED", "Such codes are for accounts that orders post to.")])
        return self.add_account(Account.new(new_id("acct"), new, self.session.at))

    def add_account(self, account: Account) -> Account:
        """Open an account that has its id. Raises InvalidState if its code is taken."""
        tx = self.session.transaction()
        add_account(tx, self.session.tenant, account, _taken(account.code))
        self.session.commit(tx, account, Event("AccountOpened", account.id, 1))
        return account

    def account(self, account_id: str) -> Account:
        """Return an account. Raises NotFound, Contention."""
        return self.session.decide_again(lambda: self._account(account_id))

    def _account(self, account_id: str) -> Account:
        row = is_id("acct", account_id) and self.session.table.get(keys.account(self.session.tenant, account_id))
        if not row:
            self._require_no_account(account_id)
            raise NotFound("account")
        return account_of(row)

    def accounts(self, page: PageRequest) -> Page[Account]:
        """Return a page of the accounts. Raises CursorInvalid."""
        rows, cursor = list_page(Listing.of_all(self.session, ACCOUNTS, account_position), page)
        return Page(items=[account_of(row) for row in rows], next_cursor=cursor)

    def stripe_account(self, account_id: str, count: int) -> Account:
        """Spread the entries that come over `count` stripes. Raises NotFound, InvalidState, Contention."""
        return self.session.decide_again(lambda: self._stripe_account(account_id, count))

    def _stripe_account(self, account_id: str, count: int) -> Account:
        account = self._account(account_id)
        _require_open(account)
        require_stripable(account, count)
        if count == account.stripes:
            self.session.commit_answer(account)
            return account
        striped, tx = self._changing(account, {"stripes": count})
        self.session.commit(tx, striped, Event("AccountStriped", striped.id, striped.version, {"stripes": count}))
        return striped

    def _changing(self, account: Account, changes: dict[str, object]) -> tuple[Account, Steps]:
        changed = account.model_copy(update=changes | {"version": account.version + 1})
        tx = self.session.transaction()
        tx.put(
            "change the account",
            account_row(self.session.tenant, changed),
            condition="version = :seen",
            refusal=Stale.because,
            seen=account.version,
        )
        return changed, tx

    def close_account(self, account_id: str) -> Account:
        """Close an account whose balance is zero, for good. Raises NotFound, InvalidState, Contention."""
        return self.session.decide_again(lambda: self._close_account(account_id))

    def _close_account(self, account_id: str) -> Account:
        tails = self._tails(account_id)
        account = tails[0].account
        _require_open(account)
        if account.code.startswith(RESERVED_CODES):
            raise InvalidState("Orders post to this account.")
        if sum(tail.balance for tail in tails):
            raise InvalidState("The account's balance is not zero.")
        closed, tx = self._changing(account, {"status": AccountStatus.CLOSED})
        for tail in tails:
            tx.create("end the chain", closing_row(self.session.tenant, tail, self.session.at), Stale.because)
        self.session.commit(tx, closed, Event("AccountClosed", closed.id, closed.version))
        return closed

    def balance(self, account_id: str, as_of: datetime | None) -> Balance:
        """Return an account's balance at an instant, or now. Raises NotFound, Contention.

        Where others post to several stripes too fast for one sum, "now" is the instant that is just settled.
        """
        settled = self.session.at - SETTLED_AFTER
        if as_of and as_of <= settled:
            tails = self.session.decide_again(lambda: self._tails(account_id))
        else:
            try:
                tails = self.session.decide_again(lambda: self._tails_at_one_moment(account_id))
            except Contention:
                if as_of:
                    raise
                return self.balance(account_id, settled)
        return self.session.decide_again(lambda: self._balance(tails, as_of))

    def _balance(self, tails: Sequence[Tail], as_of: datetime | None) -> Balance:
        instant = as_of or max([self.session.at, *(tail.at for tail in tails if tail.at)])
        then = in_parallel(lambda tail: self._chains.at(tail, instant), tails)
        account = tails[0].account
        return Balance(
            account_id=account.id,
            balance=SignedMoney.of_minor(sum(tail.balance for tail in then), account.currency),
            entries=sum(tail.sequence for tail in then),
            as_of=instant,
            final=is_final(tails, instant, self.session.at - SETTLED_AFTER),
        )

    def entries(self, account_id: str, page: PageRequest) -> Page[Entry]:
        """Return a page of an account's entries, newest first. Raises NotFound, CursorInvalid, Contention."""
        account = self.account(account_id)
        return self.session.decide_again(lambda: entries_page(self.session, account, page))

    def post(self, new: NewTransaction) -> Transaction:
        """Post a transaction. Raises ValidationFailed, InsufficientFunds, Contention."""
        draft = Draft(new.description, new.entries, effective_date=new.effective_date, reference=new.reference)
        return self.post_draft(draft)

    def post_draft(self, draft: Draft) -> Transaction:
        """Post a transaction that may have its id. Raises as `post`."""
        return self.session.decide_again(lambda: self._post(draft, self._ends(draft)))

    def reverse(self, transaction_id: str) -> Transaction:
        """Post the opposite of a transaction, once. Raises NotFound, AlreadyReversed, InvalidState and as `post`."""
        return self.session.decide_again(lambda: self._reverse(transaction_id))

    def _reverse(self, transaction_id: str) -> Transaction:
        row = self._row(transaction_id)
        original = transaction_of(row)
        if original.reversed_by:
            raise AlreadyReversed
        if "order_id" in row["head"]:
            raise InvalidState("It belongs to an order: refund that.")
        draft = Draft(
            f"Reversal: {original.description}"[:500],
            swapped(original.entries),
            reference=original.reference,
            reverses=original.id,
        )
        tails = self._ends(draft)
        if len(tails) < len({entry.account_id for entry in draft.entries}):
            raise Stale
        if any(tail.account.status is AccountStatus.CLOSED for tail in tails.values()):
            self._require_standing(original.id)
            raise InvalidState("An account of the transaction is closed.")
        try:
            return self._post(draft, tails)
        except InsufficientFunds as short:
            index = int(short.flaws[0].pointer.rpartition("/")[2])
            self._require_standing(original.id, tails[draft.entries[index].account_id])
            # Without pointers: they are to entries that the client did not send.
            raise InsufficientFunds from None

    def _require_standing(self, transaction_id: str, *tails: Tail) -> None:
        """Raise Stale unless a transaction was not reversed at a moment at which these chains ended so.

        A refusal to reverse may rest on that. One row alone may be seen changed by a reversal, and not yet the other.
        """
        tenant = self.session.tenant
        ends = [(tail, keys.entry(tenant, tail.account.id, tail.stripe, tail.sequence)) for tail in tails]
        nexts = [keys.entry(tenant, tail.account.id, tail.stripe, tail.sequence + 1) for tail in tails]
        there = [keys.transaction(tenant, transaction_id), *(key for tail, key in ends if tail.sequence)]
        rows = self.session.table.snapshot([*there, *nexts])
        if rows is None or len(rows) != len(there) or "reversed_by" in rows[0]["head"]:
            raise Stale

    def _ends(self, draft: Draft) -> dict[str, Tail]:
        ends = self._chains.to_write(entry.account_id for entry in draft.entries)
        self._require_no_account(*(entry.account_id for entry in draft.entries if entry.account_id not in ends))
        return ends

    def _require_no_account(self, *account_ids: str) -> None:
        ids = (each for each in dict.fromkeys(account_ids) if is_id("acct", each))
        require_absent(self.session.table, (keys.account(self.session.tenant, each) for each in ids))

    def _post(self, draft: Draft, tails: Mapping[str, Tail]) -> Transaction:
        tx = self.session.transaction()
        transaction, events = post(tx, self.session, draft, tails)
        soon(self.session).commit(tx, transaction, *events)
        return transaction

    def transaction(self, transaction_id: str) -> Transaction:
        """Return a transaction. Raises NotFound, Contention."""
        return self.session.decide_again(lambda: transaction_of(self._row(transaction_id)))

    def transactions(self, reference: str | None, page: PageRequest) -> Page[TransactionSummary]:
        """Return a page of the transactions, or of those with a reference. Raises CursorInvalid."""
        session = self.session
        listing = Listing.of_all(session, TRANSACTIONS, position)
        if reference is not None:
            pk = keys.referring(session.tenant, reference)
            listing = Listing(session.table, "gsi2", [pk], pk, position)
        rows, cursor = list_page(listing, page)
        return Page(items=[summary(row) for row in rows], next_cursor=cursor)

    def trial_balance(self, as_of: datetime | None) -> TrialBalance:
        """Return every account's balance at one instant, or now. Raises InvalidState, Unavailable, Contention."""
        return TrialBalances(self.session).at(as_of)

    def _tails_at_one_moment(self, account_id: str) -> list[Tail]:
        """Return the ends of an account's stripes at one moment. Raises NotFound, Stale if others post to it."""
        tails = self._tails(account_id)
        if len(tails) > 1 and self._tails(account_id) != tails:
            raise Stale
        return tails

    def _tails(self, account_id: str) -> list[Tail]:
        tails = self._chains.all(account_id)
        if not tails:
            self._require_no_account(account_id)
            raise NotFound("account")
        return tails

    def _row(self, transaction_id: str) -> Row:
        key = keys.transaction(self.session.tenant, transaction_id)
        row = is_id("txn", transaction_id) and self.session.table.get(key)
        if not row:
            require_absent(self.session.table, [key] if is_id("txn", transaction_id) else ())
            raise NotFound("transaction")
        return row


def _require_open(account: Account) -> None:
    if account.status is AccountStatus.CLOSED:
        raise InvalidState("The account is closed.")


def _taken(code: str) -> InvalidState:
    return InvalidState("Another account has this code.", Flaw("/code", "CODE_TAKEN", f"{code} is another account's."))
