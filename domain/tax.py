"""Tax rates by country and class, and options for shipping: settings of a tenant."""

from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, Field, StrictBool
from pydantic_core import PydanticCustomError

from domain.common.iso.countries import COUNTRIES, Country
from domain.common.model import Model, SingleLine, at_most
from domain.common.money import Money

STANDARD_TAX = "standard"
SHIPPING_TAX = "shipping"
ANY_COUNTRY = "*"
MAX_RATES = 200
MAX_OPTIONS = 50

TaxClass = Annotated[str, Field(pattern="^[a-z0-9][a-z0-9_-]{0,31}$", examples=[STANDARD_TAX])]
"""Name of the tax rate that applies to an item, such as `standard` or `reduced`."""


def _known_or_any(code: str) -> str:
    if code != ANY_COUNTRY and code not in COUNTRIES:
        raise PydanticCustomError("country", "Must be a country code of ISO 3166-1, such as 'DE', or '*'")
    return code


class TaxRate(Model):
    """Rate for a class of goods in a country; `*` is any country without a rate of its own."""

    country: Annotated[
        str,
        AfterValidator(_known_or_any),
        Field(json_schema_extra={"enum": [ANY_COUNTRY, *sorted(COUNTRIES)]}, examples=["DE"]),
    ]
    tax_class: TaxClass = STANDARD_TAX
    rate: Annotated[str, Field(pattern=r"^(0(\.[0-9]{1,6})?|1(\.0{1,6})?)$", examples=["0.19"])]
    """Rate as a decimal string from 0 to 1."""
    name: Annotated[SingleLine, Field(max_length=50, examples=["VAT 19%"])]

    @property
    def decimal(self) -> Decimal:
        """Rate as a decimal."""
        return Decimal(self.rate)


def _one_by_class(rates: list[TaxRate]) -> list[TaxRate]:
    if len({(rate.country, rate.tax_class) for rate in rates}) < len(rates):
        raise PydanticCustomError("rates_repeated", "A country and class may have one rate")
    return rates


Rates = Annotated[list[TaxRate], AfterValidator(_one_by_class), Field(max_length=MAX_RATES), at_most(MAX_RATES)]


class TaxSettings(Model):
    """Tax rates of a tenant. Without a rate, there is no tax."""

    prices_include_tax: StrictBool = False
    """Whether prices and charges contain the tax, or it is added."""
    rates: Rates = Field(default_factory=list)

    def rate_for(self, country: str | None, *classes: str) -> TaxRate | None:
        """Return the rate of the first class that has one: the country's, else that of any country."""
        for tax_class in classes:
            for place in (country, ANY_COUNTRY):
                for rate in self.rates:
                    if (rate.country, rate.tax_class) == (place, tax_class):
                        return rate
        return None


class ShippingOption(Model):
    """A way to ship an order, with its price."""

    id: Annotated[str, Field(pattern="^[a-z0-9][a-z0-9_-]{0,31}$", examples=["parcel"])]
    name: Annotated[SingleLine, Field(max_length=100, examples=["Parcel, two days"])]
    price: Money
    free_from: Money | None = None
    """Value of lines, less discounts, from which it is free."""
    countries: Annotated[list[Country], Field(min_length=1, max_length=len(COUNTRIES))] | None = None
    """Countries to which it ships; null: all."""


def _one_by_id(options: list[ShippingOption]) -> list[ShippingOption]:
    if len({option.id for option in options}) < len(options):
        raise PydanticCustomError("options_repeated", "Ids of shipping options must differ")
    return options


ShippingOptions = Annotated[
    list[ShippingOption], AfterValidator(_one_by_id), Field(max_length=MAX_OPTIONS), at_most(MAX_OPTIONS)
]
