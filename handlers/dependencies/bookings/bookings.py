"""Dependency of routes on bookings."""

from typing import Annotated

from handlers.http.dependencies import repository
from repositories.bookings.repository import BookingRepository

Bookings = Annotated[BookingRepository, repository(BookingRepository)]
