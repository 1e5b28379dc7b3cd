"""Amounts as Stripe counts them, in whole smallest units (Stripe documentation, "Supported currencies")."""

from decimal import Decimal

from domain.common.errors import InvalidState
from domain.common.iso.currencies import MINOR_UNITS
from domain.common.money import Money

_DIGITS = {"ISK": 2, "UGX": 2, "MGA": 0}
"""Digits of amounts where Stripe's are not those of ISO 4217."""
_ROUNDED_DIGITS = 3
"""Digits of currencies whose last one must be 0 (same page, "Three-decimal currencies")."""


def minor_of(money: Money) -> int:
    """Return an amount as Stripe counts it. Raises InvalidState if it has a fraction that Stripe cannot charge."""
    digits = _digits(money.currency)
    amount = money.amount.scaleb(digits)
    if amount != amount.to_integral_value() or (digits == _ROUNDED_DIGITS and int(amount) % 10):
        raise InvalidState(f"Stripe cannot charge {money}: it has too fine a fraction.")
    return int(amount)


def our_minor(amount: int, currency: str) -> int:
    """Return an amount of Stripe's in the minor units of ISO 4217."""
    code = currency.upper()
    return int(Decimal(amount).scaleb(MINOR_UNITS[code] - _digits(code)))


def _digits(currency: str) -> int:
    return _DIGITS.get(currency, MINOR_UNITS[currency])
