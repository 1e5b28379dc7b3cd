"""Reports on the ledger: entries of an account, balances, the trial balance."""

import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field
from pydantic_core import PydanticCustomError

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
"""Time in RFC 3339 format ("date-time"), converted to UTC."""
