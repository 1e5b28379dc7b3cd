"""Dependency of routes on exports."""

from typing import Annotated

from handlers.http.dependencies import repository
from repositories.exports.repository import ExportRepository

Exports = Annotated[ExportRepository, repository(ExportRepository)]
