"""Amounts of an order: its lines against the items for sale, charges, tax and totals."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.common.errors import DiscountInvalid, DomainError, Flaw, ItemArchived, NotFound, OutOfStock, PriceChanged
from domain.common.ids import is_id
from domain.common.iso.currencies import MINOR_UNITS
from domain.common.money import Money
from domain.common.validation import invalid_input
from domain.identity.tenants import TenantSettings
from domain.orders.amounts import AppliedDiscount, Charge, OrderLine, Quote, TaxSum
from domain.orders.checkout import AnyLine, NewCharge, NewOrder, quantities
from domain.orders.pricing import (
    SHIPPING_CLASSES,
    ChargeKind,
    Discounts,
    DiscountTooLargeError,
    Part,
    PricedPart,
    price,
)
from domain.orders.redemption import DiscountTerms
from domain.stock import MAX_UNITS
from domain.tax import STANDARD_TAX

MAX_TOTAL_DIGITS = 12
"""Maximum digits before the decimal point of a total, as for any amount."""


@dataclass(frozen=True, slots=True)
class Offer:
    """Name, SKU and price of an item, and whether it can be ordered."""

    name: str
    sku: str | None
    price: Money
    sellable: bool = True
    tax_class: str = STANDARD_TAX


@dataclass(frozen=True, slots=True)
class Terms:
    """Terms on which an order is placed: offers by item id, the tenant's settings, and those of the discount code.

    `discount` is None without a code, and if there is no such code.
    """

    offers: Mapping[str, Offer]
    settings: TenantSettings
    discount: DiscountTerms | None = None


def quote(new: NewOrder, terms: Terms, at: datetime) -> Quote:
    """Return what an order comes to at `at`.

    Raises NotFound, ItemArchived, ValidationFailed (mixed currencies) or PriceChanged with a flaw for each affected
    line; DiscountInvalid; ValidationFailed for charges and shipping options that do not fit, and amounts with too many
    digits; PriceChanged if the total is not the expected one.
    """
    offers = terms.offers
    _require_offered(new.lines, offers)
    _require_few_units(new.lines)
    units = quantities(new.lines)
    currency = offers[next(iter(units))].price.currency
    subtotal = sum(offers[item_id].price.minor * count for item_id, count in units.items())
    discount = _discount(new, terms.discount, Money.of_minor(subtotal, currency), at)
    by_code = discount.amount.minor if discount else 0
    charges = _charges(new, terms.settings, currency, subtotal - by_code)
    amounts = _amounts(new, units, terms, charges, discount)
    digits = MAX_TOTAL_DIGITS + MINOR_UNITS[currency]
    if max(amounts.subtotal.minor, amounts.total.minor) >= 10**digits:
        raise invalid_input([Flaw("/lines", "TOTAL_TOO_LARGE", "The total has too many digits for an amount.")])
    if new.expected_total is not None and new.expected_total != amounts.total:
        raise PriceChanged(Flaw("/expected_total", "PRICE_CHANGED", f"The total is {amounts.total}."))
    return amounts


def _discount(new: NewOrder, terms: DiscountTerms | None, subtotal: Money, at: datetime) -> AppliedDiscount | None:
    """Return the use of an order's discount code, if it has one. Raises DiscountInvalid."""
    if new.discount_code is None:
        return None
    if terms is None:
        raise DiscountInvalid("There is no such code.")
    return AppliedDiscount(id=terms.id, code=terms.code, amount=terms.applied_to(subtotal, at))


def _charges(new: NewOrder, settings: TenantSettings, currency: str, value: int) -> list[NewCharge]:
    """Return the charges of an order with lines of this value, its shipping option first. Raises ValidationFailed."""
    for index, charge in enumerate(new.charges):
        if charge.amount.currency != currency:
            raise _invalid(f"/charges/{index}/amount", "CURRENCIES_MIXED", f"The order is in {currency}.")
    if new.shipping_option is None:
        return list(new.charges)
    option = next((each for each in settings.shipping_options if each.id == new.shipping_option), None)
    if option is None:
        raise _invalid(_OPTION, "SHIPPING_OPTION_UNKNOWN", "There is no such shipping option.")
    if option.countries is not None and new.country not in option.countries:
        raise _invalid(_OPTION, "SHIPPING_OPTION_UNAVAILABLE", "It does not ship to the address's country.")
    if option.price.currency != currency:
        raise _invalid(_OPTION, "CURRENCIES_MIXED", f"Its price is in {option.price.currency}.")
    free = option.free_from is not None and option.free_from.currency == currency and value >= option.free_from.minor
    amount = Money.of_minor(0 if free else option.price.minor, currency)
    return [NewCharge(kind=ChargeKind.SHIPPING, label=option.name, amount=amount), *new.charges]


_OPTION = "/shipping_option"


def _invalid(pointer: str, code: str, detail: str) -> DomainError:
    return invalid_input([Flaw(pointer, code, detail)])


def _amounts(
    new: NewOrder,
    units: Mapping[str, int],
    terms: Terms,
    charges: Sequence[NewCharge],
    discount: AppliedDiscount | None,
) -> Quote:
    offers, tax = terms.offers, terms.settings.tax
    currency = offers[next(iter(units))].price.currency
    added = [charge for charge in charges if charge.kind is not ChargeKind.DISCOUNT]
    discounts = [charge for charge in charges if charge.kind is ChargeKind.DISCOUNT]
    try:
        priced = price(
            [Part(offers[each].price.minor * count, (offers[each].tax_class,)) for each, count in units.items()],
            [Part(each.amount.minor, _CLASSES[each.kind]) for each in added],
            Discounts(discount.amount.minor if discount else 0, sum(each.amount.minor for each in discounts)),
            tax,
            new.country,
        )
    except DiscountTooLargeError:
        raise _invalid("/charges", "TOTAL_BELOW_ZERO", "The discounts exceed what the order comes to.") from None
    lines = [_line(item, units[item], offers[item], part) for item, part in zip(units, priced.lines, strict=True)]
    shown = [_charge(each, part) for each, part in zip(added, priced.charges, strict=True)]
    none = PricedPart(0, 0, None, 0)
    shown += [_charge(each, none) for each in discounts]
    parts = [*priced.lines, *priced.charges]

    def money(minor: int) -> Money:
        return Money.of_minor(minor, currency)

    return Quote(
        lines=lines,
        charges=shown,
        discount=discount,
        taxes=tax_sums(parts, currency),
        prices_include_tax=tax.prices_include_tax,
        subtotal=money(sum(part.amount for part in priced.lines)),
        discount_total=money(sum(part.discount for part in parts)),
        shipping_total=money(sum(each.amount.minor for each in added if each.kind is ChargeKind.SHIPPING)),
        tax_total=money(sum(part.tax for part in parts)),
        total=money(sum(part.gross(included=tax.prices_include_tax) for part in parts)),
    )


_CLASSES = {ChargeKind.SHIPPING: SHIPPING_CLASSES, ChargeKind.FEE: (STANDARD_TAX,)}


def tax_sums(parts: Sequence[PricedPart], currency: str) -> list[TaxSum]:
    """Return the tax of parts by rate, in the order in which the rates come."""
    sums: dict[tuple[str, str], int] = {}
    for part in parts:
        if part.rate:
            key = (part.rate.name, part.rate.rate)
            sums[key] = sums.get(key, 0) + part.tax
    return [
        TaxSum(name=name, rate=rate, amount=Money.of_minor(minor, currency)) for (name, rate), minor in sums.items()
    ]


def out_of_stock(lines: Sequence[AnyLine], available: Mapping[str, int]) -> OutOfStock:
    """Return an OutOfStock error with a flaw for each line of an item in `available`.

    `available` maps the ids of items with too few units to their available units.
    """
    flaws = [
        Flaw(f"/lines/{index}/quantity", "OUT_OF_STOCK", f"{available[line.item_id]} available")
        for index, line in enumerate(lines)
        if line.item_id in available
    ]
    return OutOfStock("Fewer units are free than were ordered. Nothing was reserved.", *flaws)


def _require_few_units(lines: Sequence[AnyLine]) -> None:
    """Raise ValidationFailed with a flaw for each line by which an item has more units than stock can have."""
    sums: dict[str, int] = defaultdict(int)
    flaws = []
    for index, line in enumerate(lines):
        sums[line.item_id] += line.quantity
        if sums[line.item_id] > MAX_UNITS:
            detail = f"The lines of an item have {MAX_UNITS:,} units at most."
            flaws.append(Flaw(f"/lines/{index}/quantity", "TOO_MANY_UNITS", detail))
    if flaws:
        raise invalid_input(flaws)


_REFUSALS: dict[str, Callable[[list[Flaw]], DomainError]] = {
    "NOT_FOUND": lambda flaws: NotFound("item or booking", *flaws),
    "ITEM_ARCHIVED": lambda flaws: ItemArchived(*flaws),
    "CURRENCIES_MIXED": invalid_input,
    "PRICE_CHANGED": lambda flaws: PriceChanged(*flaws),
}
"""Error to raise for each flaw code, in order of precedence."""


def _require_offered(lines: Sequence[AnyLine], offers: Mapping[str, Offer]) -> None:
    currency = next((offer.price.currency for offer in offers.values()), "")
    flaws: dict[str, list[Flaw]] = defaultdict(list)
    for index, line in enumerate(lines):
        flaw = _flaw(f"/lines/{index}", line, offers.get(line.item_id), currency)
        if flaw:
            flaws[flaw.code].append(flaw)
    for code, refusal in _REFUSALS.items():
        if flaws[code]:
            raise refusal(flaws[code])


def _flaw(where: str, line: AnyLine, offer: Offer | None, currency: str) -> Flaw | None:
    if offer is None or is_id("booking", line.item_id) != (line.id_name == "booking_id"):
        return Flaw(f"{where}/{line.id_name}", "NOT_FOUND", "There is no such item or booking.")
    if not offer.sellable:
        return Flaw(f"{where}/item_id", "ITEM_ARCHIVED", "The item is no longer sold.")
    if offer.price.currency != currency:
        return Flaw(f"{where}/{line.id_name}", "CURRENCIES_MIXED", f"Its price is in {offer.price.currency}.")
    if line.unit_price is not None and line.unit_price != offer.price:
        return Flaw(f"{where}/unit_price", "PRICE_CHANGED", f"The price is {offer.price}.")
    return None


def _line(item_id: str, quantity: int, offer: Offer, part: PricedPart) -> OrderLine:
    currency = offer.price.currency
    return OrderLine(
        item_id=item_id,
        booking_id=item_id if is_id("booking", item_id) else None,
        sku=offer.sku,
        name=offer.name,
        quantity=quantity,
        unit_price=offer.price,
        discount=Money.of_minor(part.discount, currency),
        tax_rate=part.rate and part.rate.rate,
        tax=Money.of_minor(part.tax, currency),
        total=Money.of_minor(part.amount, currency),
    )


def _charge(new: NewCharge, part: PricedPart) -> Charge:
    currency = new.amount.currency
    return Charge(
        kind=new.kind,
        label=new.label,
        amount=new.amount,
        discount=Money.of_minor(part.discount, currency),
        tax_rate=part.rate and part.rate.rate,
        tax=Money.of_minor(part.tax, currency),
    )
