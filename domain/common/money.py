"""Exact amounts of money: a decimal with the minor-unit digits of its currency (ISO 4217)."""

import re
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Self, cast

from pydantic import (
    MISSING,
    BaseModel,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    ValidationInfo,
    field_validator,
    model_serializer,
)
from pydantic_core import CoreSchema, PydanticCustomError

from domain.common.iso.currencies import MINOR_UNITS, known_currency
from domain.common.model import Model

MAX_AMOUNT = Decimal(10) ** 12
"""What amounts are below: they have twelve digits before the decimal point at most."""
_WHOLE = "(0|[1-9][0-9]{0,11})"
_WHOLE_BALANCE = "-?(0|[1-9][0-9]{0,24})"


class Money(BaseModel):
    """An amount of zero or more in one currency.

    In JSON `{"amount": "12.99", "currency": "EUR"}`: the amount is a string, never a number. Input has at most the
    currency's minor-unit digits, output exactly as many.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    currency: str
    amount: Decimal

    _whole: ClassVar[str] = _WHOLE

    @classmethod
    def of_minor(cls, minor: int, currency: str) -> Self:
        """Return the amount of `minor` minor units (cents for EUR) of `currency`, the form stored in the table."""
        money = cls.model_construct(currency=currency, amount=Decimal(minor).scaleb(-MINOR_UNITS[currency]))
        return cast("Self", money)

    def __str__(self) -> str:
        """Return the amount and its currency for display: `12.99 EUR`."""
        return " ".join(self._on_the_wire().values())

    @property
    def minor(self) -> int:
        """Amount in minor units."""
        return int(self.amount.scaleb(MINOR_UNITS[self.currency]))

    @field_validator("currency")
    @classmethod
    def _is_known(cls, code: str) -> str:
        return known_currency(code)

    @field_validator("amount", mode="plain")
    @classmethod
    def _is_exact(cls, amount: object, info: ValidationInfo) -> Decimal:
        if not isinstance(amount, str) or not re.fullmatch(rf"{cls._whole}(\.[0-9]{{1,4}})?", amount):
            raise PydanticCustomError("money_amount", "Must be a decimal string such as '12.99'")
        digits = MINOR_UNITS.get(info.data.get("currency", ""), 4)
        exact = Decimal(amount)
        if -int(exact.as_tuple().exponent) > digits:
            raise PydanticCustomError(
                "money_precision", "{currency} has {digits} decimal places", {**info.data, "digits": digits}
            )
        return exact or exact.copy_abs()

    @property
    def decimal(self) -> str:
        """Amount as a decimal string with the digits of its currency, without the currency."""
        return f"{self.amount:.{MINOR_UNITS[self.currency]}f}"

    @model_serializer
    def _on_the_wire(self) -> dict[str, str]:
        return {"amount": self.decimal, "currency": self.currency}

    @classmethod
    def __get_pydantic_json_schema__(cls, _schema: CoreSchema, _handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Return a schema of two strings. It allows more digits than some currencies have, which validation rejects."""
        return {
            "type": "object",
            "title": cls.__name__,
            "description": "An exact amount: a decimal string with at most the minor-unit digits of its currency.",
            "required": ["amount", "currency"],
            "additionalProperties": False,
            "properties": {
                "amount": {"type": "string", "pattern": rf"^{cls._whole}(\.[0-9]{{1,4}})?$", "examples": ["12.99"]},
                "currency": {"type": "string", "enum": list(MINOR_UNITS), "examples": ["EUR"]},
            },
            "examples": [{"amount": "12.99", "currency": "EUR"}],
        }


def positive(money: Money) -> Money:
    """Return an amount of more than zero; for validation. Raises PydanticCustomError for zero."""
    if money.minor == 0:
        raise PydanticCustomError("amount_zero", "Must be more than zero")
    return money


class SignedMoney(Money):
    """A balance or the limit of one: an amount that can be negative and has more digits than a price."""

    _whole: ClassVar[str] = _WHOLE_BALANCE


class MoneyPatch(Model):
    """A change to the amount, the currency or both."""

    amount: Annotated[str, Field(pattern=rf"^{_WHOLE}(\.[0-9]{{1,4}})?$")] | MISSING = MISSING
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] | MISSING = MISSING
