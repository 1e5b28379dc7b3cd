"""Arithmetic of orders, in minor units: discounts, tax, totals. All rounding rules of amounts are here.

- A discount is spread in proportion to amounts; units that are left over go to the largest remainders, and between
  equal ones to the earlier part. The discount of a code is spread over the lines; other discounts over lines and
  charges, after it.
- Tax is computed for each part (line or charge) after discount, and rounded half up to the minor unit. Where prices
  include tax, it is the part's amount less the amount without tax.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple

from domain.tax import SHIPPING_TAX, STANDARD_TAX, TaxRate, TaxSettings


class ChargeKind(StrEnum):
    """Kind of a charge. A discount is subtracted from the others."""

    SHIPPING = "shipping"
    FEE = "fee"
    DISCOUNT = "discount"


class Part(NamedTuple):
    """A line or a charge to price: its amount before discount, and tax classes; the first with a rate applies."""

    amount: int
    tax_classes: tuple[str, ...] = (STANDARD_TAX,)


SHIPPING_CLASSES = (SHIPPING_TAX, STANDARD_TAX)


class PricedPart(NamedTuple):
    """A line or a charge with its share of discounts and its tax."""

    amount: int
    discount: int
    rate: TaxRate | None
    tax: int

    def gross(self, *, included: bool) -> int:
        """Return what is paid for it, with tax."""
        return self.amount - self.discount + (0 if included else self.tax)

    def net(self, *, included: bool) -> int:
        """Return what is paid for it, without tax."""
        return self.amount - self.discount - (self.tax if included else 0)


@dataclass(frozen=True, slots=True)
class Priced:
    """Priced lines and charges, in the order in which they were given."""

    lines: list[PricedPart]
    charges: list[PricedPart]


class DiscountTooLargeError(ValueError):
    """Discounts exceed what they are subtracted from."""


@dataclass(frozen=True, slots=True)
class Discounts:
    """Discounts of an order: by a code, on its lines; and others, on lines and charges."""

    by_code: int
    others: int


def price(
    lines: Sequence[Part], charges: Sequence[Part], discounts: Discounts, tax: TaxSettings, country: str | None
) -> Priced:
    """Return lines and charges with their shares of the discounts, and their tax.

    `charges` has no discounts. Raises DiscountTooLargeError if the discounts exceed what they are subtracted from.
    """
    parts = [*lines, *charges]
    by_code = [*spread(discounts.by_code, [line.amount for line in lines]), *[0] * len(charges)]
    others = spread(discounts.others, [part.amount - share for part, share in zip(parts, by_code, strict=True)])
    shares = [one + other for one, other in zip(by_code, others, strict=True)]
    priced = [_taxed(part, share, tax, country) for part, share in zip(parts, shares, strict=True)]
    return Priced(priced[: len(lines)], priced[len(lines) :])


def spread(total: int, weights: Sequence[int]) -> list[int]:
    """Return a total split in proportion to weights: largest remainders first, ties to the earlier.

    Raises DiscountTooLargeError if the total exceeds the sum of the weights.
    """
    whole = sum(weights)
    if total > whole:
        raise DiscountTooLargeError
    if total == 0:
        return [0] * len(weights)
    shares = [total * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda index: -(total * weights[index] % whole))
    for index in by_remainder[: total - sum(shares)]:
        shares[index] += 1
    return shares


def tax_of(amount: int, rate: Fraction, *, included: bool) -> int:
    """Return the tax in an amount, or on it, rounded half up."""
    exact = amount * rate / (1 + rate) if included else amount * rate
    return int(exact + Fraction(1, 2))


def _taxed(part: Part, discount: int, tax: TaxSettings, country: str | None) -> PricedPart:
    rate = tax.rate_for(country, *part.tax_classes)
    amount = part.amount - discount
    due = tax_of(amount, Fraction(rate.decimal), included=tax.prices_include_tax) if rate else 0
    return PricedPart(part.amount, discount, rate, due)
