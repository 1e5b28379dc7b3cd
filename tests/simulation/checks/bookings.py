"""What must hold of bookings at the end."""

from repositories.bookings.rows import StoredBooking
from tests.simulation.checks.violation import require
from tests.simulation.workload.actors import World
from tests.simulation.world.model import Model


def check_bookings(world: World, model: Model) -> None:
    """Check that what was promised is so, and that no hold is left."""
    bookings = {
        row["head"]["id"]: StoredBooking.from_row(row).booking
        for row in model.rows.values()
        if row["type"] == "booking"
    }
    for kind, what in world.promised:
        if kind == "booking":
            require(what[0] in bookings, f"Booking {what[0]} was promised and is not there.")
        elif kind == "ConfirmBooking":
            require(bookings[what].status not in {"held", "expired"}, f"{what} was confirmed, and is not.")
        elif kind == "CancelBooking":
            require(bookings[what].status == "cancelled", f"{what} was cancelled, and is not.")
        elif kind == "CheckInBooking":
            require(bookings[what].status in {"checked_in", "done"}, f"{what} was checked in, and is not.")
    for booking in bookings.values():
        require(booking.status != "held", f"The hold of {booking.id} never ended.")
        told = world.watch.events.get(booking.id, 0)
        require(told == booking.version, f"{booking.id} has missed an event.")
