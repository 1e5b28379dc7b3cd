"""Amounts as PayPal writes them (PayPal developer documentation, "Currency codes")."""

from collections.abc import Mapping

from domain.common.errors import InvalidState
from domain.common.iso.currencies import MINOR_UNITS
from domain.common.money import Money

_CURRENCIES = frozenset(
    {"AUD", "BRL", "CAD", "CNY", "CZK", "DKK", "EUR", "HKD", "HUF", "ILS", "JPY", "MYR", "MXN", "TWD", "NZD", "NOK"}
    | {"PHP", "PLN", "GBP", "SGD", "SEK", "CHF", "THB", "USD"}
)
"""Currencies in which PayPal collects."""
_WHOLE = frozenset({"HUF", "JPY", "TWD"})
"""Those of them in which it collects whole units only."""


def to_paypal(money: Money) -> dict[str, str]:
    """Return an amount as the API takes it. Raises InvalidState if PayPal cannot collect it."""
    if money.currency not in _CURRENCIES:
        raise InvalidState(f"PayPal does not collect {money.currency}.")
    if money.currency in _WHOLE and money.amount != money.amount.to_integral_value():
        raise InvalidState(f"PayPal collects whole {money.currency} only.")
    digits = 0 if money.currency in _WHOLE else MINOR_UNITS[money.currency]
    return {"currency_code": money.currency, "value": f"{money.amount:.{digits}f}"}


def is_amount(shown: Mapping[str, str], money: Money) -> bool:
    """Return whether an amount that the API shows is this one."""
    return shown == to_paypal(money)
