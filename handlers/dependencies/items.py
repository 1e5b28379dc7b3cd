"""Dependency of routes on items."""

from typing import Annotated

from handlers.http.dependencies import repository
from repositories.items.repository import ItemRepository

Items = Annotated[ItemRepository, repository(ItemRepository)]
