"""Reports on the ledger: entries of an account, balances, the trial balance."""

from domain.common.model import Model, Timestamp
from domain.common.money import Money, SignedMoney
from domain.ledger.accounts import Direction


class Entry(Model):
    """An entry of an account. `sequence` counts from 1 in its stripe; `balance_after` is the balance of the stripe."""

    sequence: int
    stripe: int
    transaction_id: str
    direction: Direction
    amount: Money
    balance_after: SignedMoney
    posted_at: Timestamp


class Balance(Model):
    """An account's balance at `as_of`, in its normal direction. If `final`, no later posting can change it."""

    account_id: str
    balance: SignedMoney
    entries: int
    as_of: Timestamp
    final: bool


class TrialAccount(Model):
    """An account's balance as a decimal string in either `debit` or `credit`; the other is zero."""

    account_id: str
    code: str
    currency: str
    debit: str
    credit: str


class TrialTotal(Model):
    """Total debits and credits in one currency, as decimal strings."""

    currency: str
    debit: str
    credit: str


class TrialBalance(Model):
    """The balance of every account at one instant. In each currency, total debits equal total credits."""

    as_of: Timestamp
    final: bool
    accounts: list[TrialAccount]
    totals: list[TrialTotal]
