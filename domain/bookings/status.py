"""Status of a booking, and the allowed changes."""

from enum import StrEnum

from domain.common.errors import InvalidState


class BookingStatus(StrEnum):
    """Status of a booking."""

    HELD = "held"
    """Its units are taken until `hold_expires_at`, or as long as its order is pending."""
    CONFIRMED = "confirmed"
    CHECKED_IN = "checked_in"
    DONE = "done"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    NO_SHOW = "no_show"


ON_PAGES = frozenset(BookingStatus) - {BookingStatus.CANCELLED, BookingStatus.EXPIRED}
"""Statuses of bookings that are on the pages of the calendar: their units were taken to the end."""
MOVES: frozenset[tuple[BookingStatus, BookingStatus]] = frozenset(
    {
        (BookingStatus.HELD, BookingStatus.CONFIRMED),
        (BookingStatus.HELD, BookingStatus.CANCELLED),
        (BookingStatus.HELD, BookingStatus.EXPIRED),
        (BookingStatus.CONFIRMED, BookingStatus.CHECKED_IN),
        (BookingStatus.CONFIRMED, BookingStatus.CANCELLED),
        (BookingStatus.CONFIRMED, BookingStatus.NO_SHOW),
        (BookingStatus.CHECKED_IN, BookingStatus.DONE),
    }
)
"""Allowed status changes."""


def require_move(current: BookingStatus, wanted: BookingStatus) -> None:
    """Raise InvalidState if a status change is not allowed."""
    if (current, wanted) not in MOVES:
        raise InvalidState(f"A booking that is {current} cannot become {wanted}.")
