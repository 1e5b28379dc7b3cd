"""Accounts of the ledger."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, ValidationInfo, field_validator
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import PydanticCustomError

from domain.common.errors import InvalidState
from domain.common.iso.currencies import MINOR_UNITS
from domain.common.model import A_NUMBER, Model, SingleLine, Timestamp
from domain.common.money import SignedMoney
from domain.identity.tenants import Currency

RESERVED_CODES = "shop."
"""Prefix of account codes, reserved for the accounts that orders post to."""
MAX_STRIPES = 16


class AccountType(StrEnum):
    """Type of an account. Debits increase assets and expenses; credits increase the other types."""

    ASSET = "asset"
    LIABILITY = "liability"
    EQUITY = "equity"
    INCOME = "income"
    EXPENSE = "expense"


class Direction(StrEnum):
    """Side of an entry: debit or credit."""

    DEBIT = "debit"
    CREDIT = "credit"

    @property
    def opposite(self) -> "Direction":
        """Opposite side."""
        return Direction.CREDIT if self is Direction.DEBIT else Direction.DEBIT


NORMAL = {
    AccountType.ASSET: Direction.DEBIT,
    AccountType.EXPENSE: Direction.DEBIT,
    AccountType.LIABILITY: Direction.CREDIT,
    AccountType.EQUITY: Direction.CREDIT,
    AccountType.INCOME: Direction.CREDIT,
}
"""Normal direction of each account type: the side that increases the balance."""


class AccountStatus(StrEnum):
    """Status of an account. Closed accounts cannot be posted to."""

    OPEN = "open"
    CLOSED = "closed"


Code = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,39}$", examples=["1000"])]
_AMOUNT = r"^-?(0|[1-9][0-9]{0,11})(\.[0-9]{1,4})?$"


class NewAccount(Model):
    """A new account. `floor` is the minimum balance, in the account's normal direction; null sets no minimum."""

    code: Code
    name: Annotated[SingleLine, Field(max_length=200, examples=["Cash in hand"])]
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
    """An account of the ledger. `floor` is the minimum balance, a decimal string in the account's currency, or null."""

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
    changed_at: SkipJsonSchema[Timestamp | None] = Field(default=None, exclude=True)
    """Time of the last change, for the order of events; not shown."""

    @classmethod
    def new(cls, account_id: str, new: NewAccount, at: datetime) -> Self:
        """Return the first version of an account."""
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
        """Minimum balance in minor units, or None."""
        return None if self.floor is None else int(Decimal(self.floor).scaleb(MINOR_UNITS[self.currency]))

    @property
    def normal(self) -> Direction:
        """Side that increases the balance."""
        return NORMAL[self.type]


class Stripes(Model):
    """Number of stripes over which an account's entries are spread, so that concurrent postings do not conflict."""

    count: Annotated[int, Field(ge=1, le=MAX_STRIPES, examples=[4]), A_NUMBER]


def require_stripable(account: Account, count: int) -> None:
    """Raise InvalidState unless the account can have `count` stripes. The number of stripes never decreases.

    An account with a floor has one stripe, because the floor is checked against the balance of a single chain.
    """
    if account.floor is not None and count > 1:
        raise InvalidState("An account with a floor has one stripe: only there is its balance one number.")
    if count < account.stripes:
        raise InvalidState(f"The account has {account.stripes} stripes already, and entries in them.")
