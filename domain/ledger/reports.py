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
