"""Prices of bookings."""

from decimal import ROUND_HALF_EVEN, Decimal

from domain.bookings.hours import Span, local_date
from domain.bookings.resources import Per, Resource
from domain.common.money import Money

_HOUR_SECONDS = 3600


def price_of(resource: Resource, during: Span, units: int) -> Money | None:
    """Return what a booking costs; None if the resource has no price.

    Hours are prorated by the second, and the total is rounded half to even. Nights are the dates of the resource's
    zone that it spans, one at least.
    """
    price = resource.price
    if price is None:
        return None
    times, parts = 1, 1
    match price.per:
        case Per.UNIT:
            times = units
        case Per.HOUR:
            times, parts = int((during.end - during.start).total_seconds()) * units, _HOUR_SECONDS
        case Per.NIGHT:
            nights = (local_date(during.end, resource.zone) - local_date(during.start, resource.zone)).days
            times = max(1, nights) * units
    minor = (Decimal(price.amount.minor * times) / parts).quantize(Decimal(1), ROUND_HALF_EVEN)
    return Money.of_minor(int(minor), price.amount.currency)
