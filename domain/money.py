"""Exact money: a decimal amount with the minor units of its currency (ISO 4217)."""

import re
from decimal import Decimal
from typing import Any

from pydantic import (
    BaseModel,
    ConfigDict,
    GetJsonSchemaHandler,
    ValidationInfo,
    field_validator,
    model_serializer,
)
from pydantic_core import CoreSchema, PydanticCustomError

from domain.currencies import MINOR_UNITS

_WHOLE = "(0|[1-9][0-9]{0,11})"
_ANY_AMOUNT = re.compile(rf"{_WHOLE}(\.[0-9]{{1,4}})?")


class Money(BaseModel):
    """An amount of zero or more in one currency.

    On the wire `{"amount": "12.99", "currency": "EUR"}`: the amount is text, never a JSON number, with
    at most the currency's minor-unit digits going in and exactly as many coming out.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    currency: str
    amount: Decimal

    @classmethod
    def of_minor(cls, minor: int, currency: str) -> "Money":
        """Return `minor` minor units (cents, for EUR) of `currency`, as kept in the table."""
        return Money.model_construct(currency=currency, amount=Decimal(minor).scaleb(-MINOR_UNITS[currency]))

    def __str__(self) -> str:
        """The amount and its currency, for people: `12.99 EUR`."""
        return " ".join(self._on_the_wire().values())

    @property
    def minor(self) -> int:
        """The amount in minor units."""
        return int(self.amount.scaleb(MINOR_UNITS[self.currency]))

    @field_validator("currency")
    @classmethod
    def _is_known(cls, code: str) -> str:
        if code not in MINOR_UNITS:
            raise PydanticCustomError("currency_unknown", "Not a currency of ISO 4217 that has minor units")
        return code

    @field_validator("amount", mode="plain")
    @classmethod
    def _is_exact(cls, amount: object, info: ValidationInfo) -> Decimal:
        if not isinstance(amount, str) or not _ANY_AMOUNT.fullmatch(amount):
            raise PydanticCustomError("money_amount", "Must be a decimal string such as '12.99'")
        digits = MINOR_UNITS.get(info.data.get("currency", ""), 4)
        exact = Decimal(amount)
        if -int(exact.as_tuple().exponent) > digits:
            raise PydanticCustomError(
                "money_precision", "{currency} has {digits} decimal places", {**info.data, "digits": digits}
            )
        return exact

    @model_serializer
    def _on_the_wire(self) -> dict[str, str]:
        return {"amount": f"{self.amount:.{MINOR_UNITS[self.currency]}f}", "currency": self.currency}

    @classmethod
    def __get_pydantic_json_schema__(cls, _schema: CoreSchema, _handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Describe money by the digits of its currency, so that the schema alone tells 13.999 EUR is wrong."""
        return {
            "title": cls.__name__,
            "description": "An exact amount: a decimal string with at most the currency's minor-unit digits.",
            "anyOf": [_schema_of(digits) for digits in sorted(set(MINOR_UNITS.values()))],
            "examples": [{"amount": "12.99", "currency": "EUR"}, {"amount": "1200", "currency": "JPY"}],
        }


def _schema_of(digits: int) -> dict[str, Any]:
    fraction = rf"(\.[0-9]{{1,{digits}}})?" if digits else ""
    return {
        "type": "object",
        "title": f"{digits} decimal places",
        "required": ["amount", "currency"],
        "additionalProperties": False,
        "properties": {
            "amount": {"type": "string", "pattern": f"^{_WHOLE}{fraction}$"},
            "currency": {
                "type": "string",
                "enum": [code for code, places in MINOR_UNITS.items() if places == digits],
            },
        },
    }
