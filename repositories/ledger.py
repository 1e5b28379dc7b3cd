"""The ledger: accounts, postings, reversals, balances now and then."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.books import Balance, Entry, NewTransaction, TrialAccount, TrialBalance, TrialTotal, require_stripable
from domain.errors import AlreadyReversed, Contention, Flaw, InvalidState, NotFound
from domain.events import Event
from domain.ids import is_id, new_id
from domain.ledger import (
    RESERVED_CODES,
    SETTLED_AFTER,
    Account,
    AccountStatus,
    Direction,
    NewAccount,
    Tail,
    Transaction,
    TransactionSummary,
    signed,
)
from domain.model import now
from domain.money import Money, SignedMoney
from domain.pages import Page, PageRequest
from domain.validation import invalid_input
from repositories import keys
from repositories.chains import Chains, is_final
from repositories.ledger_rows import (
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
from repositories.listing import Listing, list_page
from repositories.parallel import in_parallel
from repositories.posting import Draft, add_account, post, soon, swapped
from repositories.rows import Row
from repositories.session import Session
from repositories.statement import entries_page
from repositories.transaction import Stale
from repositories.transaction import Transaction as Steps

_COLLECTIONS = 5
"""How often a trial balance is read before it is given up: it must be read twice alike."""


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
        """Return an account. Raises NotFound."""
        row = is_id("acct", account_id) and self.session.table.get(keys.account(self.session.tenant, account_id))
        if not row:
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
        account = self.account(account_id)
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
        """Return an account's balance at an instant, or now. Raises NotFound."""
        tails = self._tails(account_id)
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
        """Return a page of an account's entries, newest first. Raises NotFound, CursorInvalid."""
        account = self.account(account_id)
        return entries_page(self.session, account, page)

    def post(self, new: NewTransaction) -> Transaction:
        """Post a transaction. Raises ValidationFailed, InsufficientFunds, Contention."""
        draft = Draft(new.description, new.entries, effective_date=new.effective_date, reference=new.reference)
        return self.post_draft(draft)

    def post_draft(self, draft: Draft) -> Transaction:
        """Post a transaction that may have its id. Raises as `post`."""
        return self.session.decide_again(lambda: self._post(draft))

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
        return self._post(draft)

    def _post(self, draft: Draft) -> Transaction:
        tx = self.session.transaction()
        tails = self._chains.to_write(entry.account_id for entry in draft.entries)
        transaction, events = post(tx, self.session, draft, tails)
        soon(self.session).commit(tx, transaction, *events)
        return transaction

    def transaction(self, transaction_id: str) -> Transaction:
        """Return a transaction. Raises NotFound."""
        return transaction_of(self._row(transaction_id))

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
        """Return every account's balance at one instant, or now. Raises Contention.

        Chains are read one after the other, so a posting may come between. All are read twice: if nothing changed, they
        all were so at the moment between the two.
        """
        instant = as_of or now()
        before = self._collected(instant)
        for _ in range(_COLLECTIONS):
            again = self._collected(instant)
            if _places(again) == _places(before):
                return self._trial(instant, again)
            before = again
        raise Contention

    def _collected(self, instant: datetime) -> list[list[Tail]]:
        """Return for each account where its stripes ended at the instant."""
        register = self.session.table.whole_partition(keys.account_code(self.session.tenant, "").pk)

        def collect(row: Row) -> list[Tail]:
            return [self._chains.at(tail, instant) for tail in self._chains.all(row["account_id"])]

        return in_parallel(collect, register)

    def _trial(self, instant: datetime, collected: Sequence[list[Tail]]) -> TrialBalance:
        sums: dict[str, dict[Direction, int]] = defaultdict(lambda: dict.fromkeys(Direction, 0))
        accounts = []
        for then in collected:
            account = then[0].account
            side, minor = _side(account, sum(tail.balance for tail in then))
            sums[account.currency][side] += minor
            accounts.append(
                TrialAccount(account_id=account.id, code=account.code, **_columns(account.currency, side, minor))
            )
        return TrialBalance(
            as_of=instant,
            final=instant <= self.session.at - SETTLED_AFTER,
            accounts=accounts,
            totals=[
                TrialTotal(
                    currency=currency,
                    debit=Money.of_minor(sides[Direction.DEBIT], currency).decimal,
                    credit=Money.of_minor(sides[Direction.CREDIT], currency).decimal,
                )
                for currency, sides in sorted(sums.items())
            ],
        )

    def _tails(self, account_id: str) -> list[Tail]:
        tails = self._chains.all(account_id)
        if not tails:
            raise NotFound("account")
        return tails

    def _row(self, transaction_id: str) -> Row:
        key = keys.transaction(self.session.tenant, transaction_id)
        row = is_id("txn", transaction_id) and self.session.table.get(key)
        if not row:
            raise NotFound("transaction")
        return row


def _require_open(account: Account) -> None:
    if account.status is AccountStatus.CLOSED:
        raise InvalidState("The account is closed.")


def _places(collected: Sequence[list[Tail]]) -> list[tuple[str, int, int]]:
    return [(tail.account.id, tail.stripe, tail.sequence) for then in collected for tail in then]


def _side(account: Account, balance: int) -> tuple[Direction, int]:
    """Return on which side a balance stands, and how much: a negative one stands on the other side."""
    of_debit = signed(account.normal, balance)
    return (Direction.DEBIT, of_debit) if of_debit >= 0 else (Direction.CREDIT, -of_debit)


def _columns(currency: str, side: Direction, minor: int) -> dict[str, str]:
    amounts = {each.value: Money.of_minor(minor if each is side else 0, currency).decimal for each in Direction}
    return {"currency": currency, **amounts}


def _taken(code: str) -> InvalidState:
    return InvalidState("Another account has this code.", Flaw("/code", "CODE_TAKEN", f"{code} is another account's."))
