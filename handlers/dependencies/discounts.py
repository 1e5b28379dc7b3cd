"""Dependency of routes on discounts."""

from typing import Annotated

from handlers.http.dependencies import repository
from repositories.discounts.repository import DiscountRepository

Discounts = Annotated[DiscountRepository, repository(DiscountRepository)]
