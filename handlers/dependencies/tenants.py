"""Tenants, for operators."""

from typing import Annotated

from aws_lambda_powertools.event_handler import Request
from aws_lambda_powertools.event_handler.depends import Depends

from handlers.http.parameters import session_of
from repositories.identity.tenants import TenantRepository
from repositories.identity.user_pool import directory


def _tenants(request: Request) -> TenantRepository:
    return TenantRepository(session_of(request), directory())


Tenants = Annotated[TenantRepository, Depends(_tenants)]
