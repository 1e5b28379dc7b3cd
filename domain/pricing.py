"""Pricing of order lines against the items for sale."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from domain.common.errors import DomainError, Flaw, ItemArchived, NotFound, OutOfStock, PriceChanged
from domain.common.iso_currencies import MINOR_UNITS
from domain.common.money import Money
from domain.common.validation import invalid_input
from domain.orders import NewLine, OrderLine

MAX_TOTAL_DIGITS = 12
"""Maximum digits before the decimal point of a total, as for any amount."""


@dataclass(frozen=True, slots=True)
class Offer:
    """Name, SKU and price of an item, and whether it can be ordered."""

    name: str
    sku: str | None
    price: Money
    sellable: bool


def quantities(lines: Iterable[NewLine]) -> dict[str, int]:
    """Return the units per item id, in the order of the items' first lines."""
    units: dict[str, int] = {}
    for line in lines:
        units[line.item_id] = units.get(line.item_id, 0) + line.quantity
    return units


def priced(lines: Sequence[NewLine], offers: Mapping[str, Offer]) -> list[OrderLine]:
    """Return the lines of the order, one per item. `offers` maps item ids to offers.

    Raises NotFound, ItemArchived, ValidationFailed (mixed currencies) or PriceChanged with a flaw for each affected
    line, or ValidationFailed if the total has too many digits.
    """
    _require_offered(lines, offers)
    ordered = [_line(item_id, units, offers[item_id]) for item_id, units in quantities(lines).items()]
    digits = MAX_TOTAL_DIGITS + MINOR_UNITS[ordered[0].unit_price.currency]
    if sum(line.total.minor for line in ordered) >= 10**digits:
        raise invalid_input([Flaw("/lines", "TOTAL_TOO_LARGE", "The total has too many digits for an amount.")])
    return ordered


def out_of_stock(lines: Sequence[NewLine], available: Mapping[str, int]) -> OutOfStock:
    """Return an OutOfStock error with a flaw for each line of an item in `available`.

    `available` maps the ids of items with too few units to their available units.
    """
    flaws = [
        Flaw(f"/lines/{index}/quantity", "OUT_OF_STOCK", f"{available[line.item_id]} available")
        for index, line in enumerate(lines)
        if line.item_id in available
    ]
    return OutOfStock("Fewer units are free than were ordered. Nothing was reserved.", *flaws)


_REFUSALS: dict[str, Callable[[list[Flaw]], DomainError]] = {
    "NOT_FOUND": lambda flaws: NotFound("item", *flaws),
    "ITEM_ARCHIVED": lambda flaws: ItemArchived(*flaws),
    "CURRENCIES_MIXED": invalid_input,
    "PRICE_CHANGED": lambda flaws: PriceChanged(*flaws),
}
"""Error to raise for each flaw code, in order of precedence."""


def _require_offered(lines: Sequence[NewLine], offers: Mapping[str, Offer]) -> None:
    currency = next((offer.price.currency for offer in offers.values()), "")
    flaws: dict[str, list[Flaw]] = defaultdict(list)
    for index, line in enumerate(lines):
        flaw = _flaw(f"/lines/{index}", line, offers.get(line.item_id), currency)
        if flaw:
            flaws[flaw.code].append(flaw)
    for code, refusal in _REFUSALS.items():
        if flaws[code]:
            raise refusal(flaws[code])


def _flaw(where: str, line: NewLine, offer: Offer | None, currency: str) -> Flaw | None:
    if offer is None:
        return Flaw(f"{where}/item_id", "NOT_FOUND", "There is no such item.")
    if not offer.sellable:
        return Flaw(f"{where}/item_id", "ITEM_ARCHIVED", "The item is no longer sold.")
    if offer.price.currency != currency:
        return Flaw(f"{where}/item_id", "CURRENCIES_MIXED", f"Its price is in {offer.price.currency}.")
    if line.unit_price is not None and line.unit_price != offer.price:
        return Flaw(f"{where}/unit_price", "PRICE_CHANGED", f"The price is {offer.price}.")
    return None


def _line(item_id: str, quantity: int, offer: Offer) -> OrderLine:
    return OrderLine.of(item_id, offer.sku, offer.name, quantity, offer.price)
