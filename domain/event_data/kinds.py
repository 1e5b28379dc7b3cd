"""Data of each kind of event."""

from domain.event_data import bookings, sales, shop
from domain.event_data.base import EventData

_OF_SEVERAL = {EventData, bookings.BookingData, sales.OrderData, sales.PaymentData, shop.ExportData}
"""What kinds have in common."""

KINDS: dict[str, type[EventData]] = {
    name: each
    for module in (shop, bookings, sales)
    for name, each in vars(module).items()
    if isinstance(each, type) and issubclass(each, EventData) and each not in _OF_SEVERAL
}
"""Data of each kind of event."""
