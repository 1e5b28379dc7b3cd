"""Orders."""

from typing import Annotated

from aws_lambda_powertools.event_handler import Request
from aws_lambda_powertools.event_handler.depends import Depends

from handlers.http.parameters import session_of
from repositories.orders.repository import OrderRepository


def _orders(request: Request) -> OrderRepository:
    return OrderRepository(session_of(request))


Orders = Annotated[OrderRepository, Depends(_orders)]
