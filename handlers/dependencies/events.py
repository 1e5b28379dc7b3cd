"""Dependency of routes on events."""

from typing import Annotated

from handlers.http.dependencies import repository
from repositories.events.feed import EventRepository

Events = Annotated[EventRepository, repository(EventRepository)]
