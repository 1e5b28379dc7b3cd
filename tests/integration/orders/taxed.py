"""Tax rates and shipping options of a shop, shared by the tests of amounts."""

from collections.abc import Callable

from tests.shop import Shop

ADDRESS = {"name": "Jane Doe", "line1": "12 High Street", "city": "Leeds", "postal_code": "LS1 4AP", "country": "GB"}
RATES = [
    {"country": "GB", "tax_class": "standard", "rate": "0.2", "name": "VAT 20%"},
    {"country": "GB", "tax_class": "zero", "rate": "0", "name": "VAT 0%"},
    {"country": "DE", "tax_class": "standard", "rate": "0.19", "name": "USt 19%"},
    {"country": "DE", "tax_class": "shipping", "rate": "0.07", "name": "USt 7%"},
    {"country": "*", "tax_class": "standard", "rate": "0.1", "name": "Tax"},
]
OPTIONS = [
    {"id": "parcel", "name": "Parcel", "price": {"amount": "4.90", "currency": "EUR"}},
    {
        "id": "free",
        "name": "Parcel, free from 50",
        "price": {"amount": "4.90", "currency": "EUR"},
        "free_from": {"amount": "50", "currency": "EUR"},
        "countries": ["GB"],
    },
    {"id": "dollars", "name": "Abroad", "price": {"amount": "9", "currency": "USD"}},
]

type Open = Callable[..., Shop]


def eur(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "EUR"}
