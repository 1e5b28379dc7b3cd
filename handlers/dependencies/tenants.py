"""Dependency of routes on tenants."""

from typing import Annotated

from handlers.http.dependencies import repository
from repositories.identity.tenants import TenantRepository
from repositories.identity.user_pool import user_pool

Tenants = Annotated[TenantRepository, repository(lambda session: TenantRepository(session, user_pool()))]
