"""Dependency of routes on webhook endpoints."""

from typing import Annotated

from handlers.http.dependencies import repository
from repositories.webhooks.repository import EndpointRepository

Endpoints = Annotated[EndpointRepository, repository(EndpointRepository)]
