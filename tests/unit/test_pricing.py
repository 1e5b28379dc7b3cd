"""Tests of the arithmetic of orders, against a model that computes with fractions and against a package for prices."""

from decimal import Decimal
from fractions import Fraction
from math import floor

import prices
import prices.tax
import pycountry
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.common.iso.countries import COUNTRIES
from domain.orders.pricing import SHIPPING_CLASSES, Discounts, DiscountTooLargeError, Part, price, spread, tax_of
from domain.tax import TaxRate, TaxSettings

AMOUNTS = st.integers(0, 10**7)
RATES = st.decimals(0, 1, places=6).map(lambda rate: f"{rate:f}")
CLASSES = st.sampled_from(["standard", "reduced", "zero", "shipping"])
PARTS = st.builds(Part, AMOUNTS, st.one_of(st.tuples(CLASSES), st.just(SHIPPING_CLASSES)))
PLACES = st.sampled_from(["DE", "GB", "*"])


@st.composite
def settings_of_tax(draw: st.DrawFn) -> TaxSettings:
    places = draw(st.sets(st.tuples(PLACES, CLASSES), max_size=8))
    rates = [TaxRate(country=country, tax_class=each, rate=draw(RATES), name="VAT") for country, each in sorted(places)]
    return TaxSettings(prices_include_tax=draw(st.booleans()), rates=rates)


def test_the_countries_are_those_of_the_standard() -> None:
    assert {country.alpha_2 for country in pycountry.countries} == COUNTRIES


@given(st.lists(AMOUNTS, min_size=1, max_size=12), st.data())
def test_a_discount_is_spread_in_proportion(weights: list[int], data: st.DataObject) -> None:
    total = data.draw(st.integers(0, sum(weights)))
    shares = spread(total, weights)
    assert sum(shares) == total
    whole = sum(weights) or 1
    for share, weight in zip(shares, weights, strict=True):
        assert 0 <= share <= weight
        assert abs(Fraction(total * weight, whole) - share) < 1
    # The largest remainders were rounded up, and of equal ones the earlier.
    exact = [Fraction(total * weight, whole) for weight in weights]
    order = sorted(range(len(weights)), key=lambda index: (-(exact[index] - floor(exact[index])), index))
    up = [index for index in range(len(weights)) if shares[index] > floor(exact[index])]
    assert sorted(order[: len(up)]) == up


def test_a_discount_that_is_larger_than_all_is_refused() -> None:
    with pytest.raises(DiscountTooLargeError):
        spread(11, [5, 5])
    assert spread(10, [5, 0, 5]) == [5, 0, 5]
    assert spread(1, [1, 1, 1]) == [1, 0, 0]


@pytest.mark.parametrize(
    ("amount", "rate", "included", "tax"),
    [
        (1000, "0.19", False, 190),
        (1190, "0.19", True, 190),
        (50, "0.01", False, 1),
        (49, "0.01", False, 0),
        (3, "0.5", True, 1),
    ],
)
def test_tax_is_rounded_half_up(amount: int, rate: str, included: bool, tax: int) -> None:
    assert tax_of(amount, Fraction(Decimal(rate)), included=included) == tax


@given(AMOUNTS, RATES, st.booleans())
def test_tax_is_what_a_package_for_prices_says(amount: int, rate: str, included: bool) -> None:
    """Except for halves, which the package rounds to even digits."""
    exact = Fraction(Decimal(rate))
    unrounded = amount * exact / (1 + exact) if included else amount * exact
    if unrounded % 1 == Fraction(1, 2):
        return
    base = prices.Money(Decimal(amount).scaleb(-2), "EUR")
    taxed = prices.tax.flat_tax(base, Decimal(rate), keep_gross=included)
    assert tax_of(amount, exact, included=included) == int((taxed.gross - taxed.net).amount.scaleb(2))


@given(st.lists(PARTS, min_size=1, max_size=8), st.lists(PARTS, max_size=4), settings_of_tax(), PLACES, st.data())
def test_totals_are_sums_of_their_parts(
    lines: list[Part], charges: list[Part], tax: TaxSettings, country: str, data: st.DataObject
) -> None:
    whole = sum(part.amount for part in (*lines, *charges))
    code = data.draw(st.integers(0, sum(part.amount for part in lines)))
    discount = code + data.draw(st.integers(0, whole - code))
    priced = price(lines, charges, Discounts(code, discount - code), tax, country)
    parts = [*priced.lines, *priced.charges]
    assert [part.amount for part in parts] == [part.amount for part in (*lines, *charges)]
    assert sum(part.discount for part in parts) == discount
    gross = [part.gross(included=tax.prices_include_tax) for part in parts]
    net = [part.net(included=tax.prices_include_tax) for part in parts]
    assert all(paid - without == part.tax for paid, without, part in zip(gross, net, parts, strict=True))
    assert all(each >= 0 for each in (*gross, *net))
    added = 0 if tax.prices_include_tax else sum(part.tax for part in parts)
    assert sum(gross) == whole - discount + added
    for part, asked in zip(parts, (*lines, *charges), strict=True):
        assert part.rate == _rate(tax, country, asked.tax_classes)


def _rate(tax: TaxSettings, country: str, classes: tuple[str, ...]) -> TaxRate | None:
    by_place = {(rate.country, rate.tax_class): rate for rate in tax.rates}
    found = [by_place.get((place, each)) for each in classes for place in (country, "*")]
    return next(filter(None, found), None)
