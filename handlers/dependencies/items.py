"""Items of the catalogue."""

from typing import Annotated

from aws_lambda_powertools.event_handler import Request
from aws_lambda_powertools.event_handler.depends import Depends

from handlers.http.parameters import session_of
from repositories.items.repository import ItemRepository


def _items(request: Request) -> ItemRepository:
    return ItemRepository(session_of(request))


Items = Annotated[ItemRepository, Depends(_items)]
