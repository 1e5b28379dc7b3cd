"""Discount codes: what they take off an order, and when they can be used."""

import re
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Self

from pydantic import MISSING, AfterValidator, BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from domain.common.codes import DiscountCode
from domain.common.errors import InvalidState
from domain.common.merge_patch import patched
from domain.common.model import A_NUMBER, Model, Timestamp, to_milliseconds
from domain.common.money import Money, MoneyPatch, positive
from domain.common.times import Moment

MAX_USES = 1_000_000_000

_PERCENT = r"^(100(\.0{1,2})?|[1-9]?[0-9](\.[0-9]{1,2})?)$"


def _as_text(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _is_percentage(value: str) -> str:
    if not re.fullmatch(_PERCENT, value) or not Decimal(value):
        raise PydanticCustomError("percent", "Must be more than 0 and at most 100, such as '12.5'")
    return value


Percent = Annotated[
    str,
    AfterValidator(_is_percentage),
    Field(json_schema_extra={"pattern": _PERCENT}, examples=["10"]),
    BeforeValidator(_as_text),
]
"""Percentage as a decimal string with at most two decimals; a whole number is accepted too."""
Limiting = Annotated[Moment, AfterValidator(to_milliseconds)]
"""Time in the precision in which it is stored."""
Limit = Annotated[int, Field(ge=1, le=MAX_USES, examples=[100]), A_NUMBER]


class DiscountStatus(StrEnum):
    """Status of a discount. The code of an archived one cannot be used."""

    ACTIVE = "active"
    ARCHIVED = "archived"


class DiscountFields(Model):
    """Fields of a discount that can be changed: a percentage or an amount, and its conditions. Null is no limit."""

    percent: Percent | None = None
    amount: Annotated[Money, AfterValidator(positive)] | None = None
    min_subtotal: Money | None = None
    """Sum of the lines from which the code can be used."""
    starts_at: Limiting | None = None
    ends_at: Limiting | None = None
    max_uses: Limit | None = None
    max_uses_per_customer: Limit | None = None

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if (self.percent is None) == (self.amount is None):
            raise PydanticCustomError("discount_value", "Either percent or amount must be set")
        if self.amount and self.min_subtotal and self.amount.currency != self.min_subtotal.currency:
            raise PydanticCustomError("currencies_mixed", "amount and min_subtotal must have one currency")
        if self.starts_at and self.ends_at and self.starts_at >= self.ends_at:
            raise PydanticCustomError("time_range", "starts_at must be before ends_at")
        return self


class NewDiscount(DiscountFields):
    """A new discount. Its code cannot be changed later."""

    code: DiscountCode


class DiscountPatch(Model):
    """A JSON merge patch (RFC 7396) of a discount. Fields left out are unchanged; null removes a value."""

    percent: Percent | MISSING | None = MISSING
    amount: MoneyPatch | MISSING | None = MISSING
    min_subtotal: MoneyPatch | MISSING | None = MISSING
    starts_at: Limiting | MISSING | None = MISSING
    ends_at: Limiting | MISSING | None = MISSING
    max_uses: Limit | MISSING | None = MISSING
    max_uses_per_customer: Limit | MISSING | None = MISSING


class Discount(Model):
    """A discount: `percent` of an order's lines, or `amount`, with its conditions and uses. Null is no limit."""

    id: str
    code: str
    percent: str | None
    amount: Money | None
    min_subtotal: Money | None
    starts_at: Timestamp | None
    ends_at: Timestamp | None
    max_uses: int | None
    max_uses_per_customer: int | None
    uses: int
    """Uses by orders that were not cancelled and have not expired."""
    status: DiscountStatus
    version: int
    created_at: Timestamp
    updated_at: Timestamp

    @classmethod
    def new(cls, discount_id: str, fields: NewDiscount, at: datetime) -> Self:
        """Return the first version of a discount."""
        return cls(
            **dict(fields),
            id=discount_id,
            uses=0,
            status=DiscountStatus.ACTIVE,
            version=1,
            created_at=at,
            updated_at=at,
        )

    def patched(self, patch: DiscountPatch) -> DiscountFields:
        """Return the fields with `patch` applied. Raises InvalidState if it is archived, ValidationFailed."""
        if self.status is DiscountStatus.ARCHIVED:
            raise InvalidState("The discount is archived.")
        return patched(self, DiscountFields, patch)
