"""Dependency of routes on orders."""

from typing import Annotated

from handlers.http.dependencies import repository
from repositories.orders.repository import OrderRepository

Orders = Annotated[OrderRepository, repository(OrderRepository)]
