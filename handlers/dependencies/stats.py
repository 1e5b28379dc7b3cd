"""Dependency of routes on sales figures."""

from typing import Annotated

from handlers.http.dependencies import repository
from repositories.stats.repository import StatsRepository

Stats = Annotated[StatsRepository, repository(StatsRepository)]
