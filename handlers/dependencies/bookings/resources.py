"""Dependency of routes on resources."""

from typing import Annotated

from handlers.http.dependencies import repository
from repositories.bookings.resources import ResourceRepository

Resources = Annotated[ResourceRepository, repository(ResourceRepository)]
