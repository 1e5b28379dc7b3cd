"""What clients of the ledger send and see beside accounts and transactions: new postings, entries, balances."""

import re
from collections import defaultdict
from datetime import UTC, date, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from domain.common.errors import InvalidState
from domain.common.model import A_NUMBER, Line, Model, Timestamp, at_most
from domain.common.money import Money, SignedMoney
from domain.ledger.accounts import Account, Direction, NewEntry, signed

MAX_ENTRIES = 90
MAX_STRIPES = 16


class Stripes(Model):
    """Over how many chains an account's entries are spread, so that many postings at once do not wait."""

    count: Annotated[int, Field(ge=1, le=MAX_STRIPES, examples=[4]), A_NUMBER]


def _balanced(entries: list[NewEntry]) -> list[NewEntry]:
    sums: dict[str, int] = defaultdict(int)
    for entry in entries:
        sums[entry.amount.currency] += signed(entry.direction, entry.amount.minor)
    unbalanced = sorted(currency for currency, total in sums.items() if total)
    if unbalanced:
        detail = "Debits and credits differ in {currencies}"
        raise PydanticCustomError("unbalanced", detail, {"currencies": ", ".join(unbalanced)})
    return entries


def _is_day(value: object) -> object:
    if isinstance(value, str) and not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        raise PydanticCustomError("date_form", "Must be a day such as 2026-11-21")
    if isinstance(value, int | float):
        raise PydanticCustomError("date_form", "Must be a day such as 2026-11-21")
    return value


class NewTransaction(Model):
    """A transaction to post. In each currency debits equal credits."""

    description: Annotated[Line, Field(max_length=500, examples=["Rent for November"])]
    effective_date: Annotated[date, BeforeValidator(_is_day)] | None = None
    reference: Annotated[Line, Field(max_length=100, examples=["invoice-17"])] | None = None
    entries: Annotated[
        list[NewEntry],
        Field(min_length=2, max_length=MAX_ENTRIES),
        AfterValidator(_balanced),
        at_most(MAX_ENTRIES),
    ]


class Entry(Model):
    """An entry in an account's chain. `sequence` counts from 1 in its stripe, and `balance_after` is the stripe's."""

    sequence: int
    stripe: int
    transaction_id: str
    direction: Direction
    amount: Money
    balance_after: SignedMoney
    posted_at: Timestamp


class Balance(Model):
    """An account's balance, in its normal direction. `final`: no later posting can change what it was at `as_of`."""

    account_id: str
    balance: SignedMoney
    entries: int
    as_of: Timestamp
    final: bool


class TrialAccount(Model):
    """An account's balance on its side, as a decimal string; the other side is zero."""

    account_id: str
    code: str
    currency: str
    debit: str
    credit: str


class TrialTotal(Model):
    """The sums of a currency."""

    currency: str
    debit: str
    credit: str


class TrialBalance(Model):
    """Every account's balance at one instant; in each currency the totals are equal."""

    as_of: Timestamp
    final: bool
    accounts: list[TrialAccount]
    totals: list[TrialTotal]


def _is_moment(value: object) -> object:
    if isinstance(value, str) and not re.fullmatch(_RFC3339, value):
        raise PydanticCustomError("time_form", "Must be a time such as 2026-11-21T08:00:00Z")
    return value


_RFC3339 = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})"


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise PydanticCustomError("time_range", "Must be between the years 1 and 9999 in UTC") from None


Moment = Annotated[
    AwareDatetime, BeforeValidator(_is_moment), AfterValidator(_in_utc), Field(examples=["2026-11-21T08:00:00Z"])
]
"""An instant (RFC 3339, "date-time"), in UTC."""


def require_stripable(account: Account, count: int) -> None:
    """Raise InvalidState unless an account may be spread over `count` stripes: one with a floor has one, for ever."""
    if account.floor is not None and count > 1:
        raise InvalidState("An account with a floor has one stripe: only there is its balance one number.")
    if count < account.stripes:
        raise InvalidState(f"The account has {account.stripes} stripes already, and entries in them.")
