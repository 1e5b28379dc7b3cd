"""Double-entry books: accounts, transactions whose entries balance, and the rules for posting them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from domain.common.errors import Flaw, InsufficientFunds, Unavailable
from domain.common.iso_currencies import MINOR_UNITS
from domain.common.model import Line, Model, Timestamp
from domain.common.money import Money, SignedMoney
from domain.common.validation import invalid_input
from domain.identity.tenants import Currency

MAX_SKEW = timedelta(seconds=2)
"""By how much clocks may differ. A chain that is further ahead is not written to until time has caught up."""
SETTLED_AFTER = timedelta(seconds=30)
"""After that, no posting can still fall before: each is committed within seconds, by a clock that is nearly right."""
RESERVED_CODES = "shop."
"""Codes that begin so belong to accounts that orders post to."""


class AccountType(StrEnum):
    """What an account counts."""

    ASSET = "asset"
    LIABILITY = "liability"
    EQUITY = "equity"
    INCOME = "income"
    EXPENSE = "expense"


class Direction(StrEnum):
    """The side of an entry."""

    DEBIT = "debit"
    CREDIT = "credit"

    @property
    def opposite(self) -> "Direction":
        """The other side."""
        return Direction.CREDIT if self is Direction.DEBIT else Direction.DEBIT


NORMAL = {
    AccountType.ASSET: Direction.DEBIT,
    AccountType.EXPENSE: Direction.DEBIT,
    AccountType.LIABILITY: Direction.CREDIT,
    AccountType.EQUITY: Direction.CREDIT,
    AccountType.INCOME: Direction.CREDIT,
}
"""The side that makes an account's balance grow."""


class AccountStatus(StrEnum):
    """Whether an account can be posted to."""

    OPEN = "open"
    CLOSED = "closed"


Code = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,39}$", examples=["1000"])]
_AMOUNT = r"^-?(0|[1-9][0-9]{0,11})(\.[0-9]{1,4})?$"


class NewAccount(Model):
    """A new account. `floor` is the lowest balance allowed, in the account's normal direction; null: none."""

    code: Code
    name: Annotated[Line, Field(max_length=200, examples=["Cash in hand"])]
    type: AccountType
    currency: Currency
    floor: Annotated[str, Field(pattern=_AMOUNT, examples=["0.00"])] | SignedMoney | None = None

    @field_validator("floor")
    @classmethod
    def _is_in_its_currency(cls, floor: str | SignedMoney | None, info: ValidationInfo) -> SignedMoney | None:
        """Return the floor as money in the account's currency."""
        currency = info.data.get("currency", "")
        if isinstance(floor, str) and currency:
            return SignedMoney.model_validate({"amount": floor, "currency": currency})
        if isinstance(floor, SignedMoney) and floor.currency != currency:
            raise PydanticCustomError("currency_mismatch", "The floor is in another currency than the account")
        return floor if isinstance(floor, SignedMoney) else None


class Account(Model):
    """An account of the ledger. `floor` is a decimal string in the account's currency, or null."""

    id: str
    code: str
    name: str
    type: AccountType
    currency: str
    floor: str | None
    status: AccountStatus
    stripes: int
    version: int
    created_at: Timestamp

    @classmethod
    def new(cls, account_id: str, new: NewAccount, at: datetime) -> Self:
        """Return a new account."""
        return cls(
            id=account_id,
            code=new.code,
            name=new.name,
            type=new.type,
            currency=new.currency,
            floor=new.floor.decimal if isinstance(new.floor, SignedMoney) else None,
            status=AccountStatus.OPEN,
            stripes=1,
            version=1,
            created_at=at,
        )

    @property
    def floor_minor(self) -> int | None:
        """The floor in minor units."""
        return None if self.floor is None else int(Decimal(self.floor).scaleb(MINOR_UNITS[self.currency]))

    @property
    def normal(self) -> Direction:
        """The side that makes its balance grow."""
        return NORMAL[self.type]


def _is_positive(amount: Money) -> Money:
    if amount.minor == 0:
        raise PydanticCustomError("amount_zero", "An entry has an amount of more than zero")
    return amount


class NewEntry(Model):
    """One side of a transaction."""

    account_id: Annotated[str, Field(max_length=64, examples=["acct_01JD3ZK8Q4M5X6Y7Z8A9B0C1D8"])]
    direction: Direction
    amount: Annotated[Money, AfterValidator(_is_positive)]


class TransactionSummary(Model):
    """A posted transaction as lists show it."""

    id: str
    description: str
    effective_date: date | None
    reference: str | None
    reverses: str | None
    reversed_by: str | None
    posted_at: Timestamp
    posted_by: str


class Transaction(TransactionSummary):
    """A posted transaction. It never changes, but that `reversed_by` is set once."""

    entries: list[NewEntry]


@dataclass(frozen=True, slots=True)
class Tail:
    """Where a stripe of an account ends: the number, balance and time of its last entry."""

    account: Account
    stripe: int
    sequence: int = 0
    balance: int = 0
    """In minor units, in the account's normal direction."""
    at: datetime | None = None

    def extended(self, direction: Direction, minor: int, at: datetime) -> "Tail":
        """Return the end after one more entry."""
        grows = direction is self.account.normal
        balance = self.balance + (minor if grows else -minor)
        return Tail(self.account, self.stripe, self.sequence + 1, balance, at)


@dataclass(frozen=True, slots=True)
class Posted:
    """An entry on its way into a chain: which of the transaction's entries it is, and the chain's end after it."""

    index: int
    tail: Tail
    more: int = 0
    """How many entries of the same transaction follow in the same chain."""


def signed(direction: Direction, minor: int) -> int:
    """Return an amount as a number of which debits and credits that balance make zero."""
    return minor if direction is Direction.DEBIT else -minor


def posting_time(now: datetime, tails: Sequence[Tail]) -> datetime:
    """Return the time of a transaction on these chains: times rise in each. Raises Unavailable if one is far ahead."""
    last = max((tail.at for tail in tails if tail.at), default=now)
    if last > now + MAX_SKEW:
        raise Unavailable
    return max(now, last)


def require_postable(entries: Sequence[NewEntry], accounts: Mapping[str, Account]) -> None:
    """Raise ValidationFailed with a flaw for each entry whose account is not there, closed or in another currency."""
    flaws = []
    for index, entry in enumerate(entries):
        account = accounts.get(entry.account_id)
        if account is None:
            flaws.append(Flaw(f"/entries/{index}/account_id", "NOT_FOUND", "There is no such account."))
        elif account.status is AccountStatus.CLOSED:
            flaws.append(Flaw(f"/entries/{index}/account_id", "ACCOUNT_CLOSED", "The account is closed."))
        elif account.currency != entry.amount.currency:
            detail = f"The account is in {account.currency}."
            flaws.append(Flaw(f"/entries/{index}/amount/currency", "CURRENCY_MISMATCH", detail))
    if flaws:
        raise invalid_input(flaws)


def appended(entries: Sequence[NewEntry], tails: Mapping[str, Tail], at: datetime) -> list[Posted]:
    """Return each entry's place in its account's chain. Raises InsufficientFunds where a floor would be crossed.

    Of one account, entries that let the balance grow come first, then larger ones, so that no order in which a client
    names them makes a difference, and a floor that holds at the end holds in between.
    """
    ends = dict(tails)
    posted = []

    def place(index: int) -> tuple[Any, ...]:
        entry = entries[index]
        return entry.direction is not tails[entry.account_id].account.normal, -entry.amount.minor

    for index in sorted(range(len(entries)), key=place):
        entry = entries[index]
        end = ends[entry.account_id].extended(entry.direction, entry.amount.minor, at)
        ends[entry.account_id] = end
        posted.append(Posted(index, end))
    _require_floors(entries, ends)
    last = {tail.account.id: tail.sequence for tail in ends.values()}
    counted = [replace(each, more=last[each.tail.account.id] - each.tail.sequence) for each in posted]
    return sorted(counted, key=lambda each: each.index)


def _require_floors(entries: Sequence[NewEntry], ends: Mapping[str, Tail]) -> None:
    flaws = []
    for index, entry in enumerate(entries):
        end = ends[entry.account_id]
        floor = end.account.floor_minor
        if floor is not None and end.balance < floor and entry.direction is not end.account.normal:
            detail = f"It would leave {SignedMoney.of_minor(end.balance, end.account.currency)}."
            flaws.append(Flaw(f"/entries/{index}", "INSUFFICIENT_FUNDS", detail))
    if flaws:
        raise InsufficientFunds(*flaws)
