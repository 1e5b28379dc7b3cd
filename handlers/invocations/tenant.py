"""Access to the rows of one tenant, for functions that work for tenants without a caller."""

from datetime import datetime

from domain.identity.permissions import Caller
from repositories.aws.settings import settings
from repositories.aws.tenant_client import tenant_client
from repositories.dynamodb.session import Session
from repositories.dynamodb.table import Meter, Table


def session_for(tenant: str, meter: Meter, at: datetime, deadline: float) -> Session:
    """Return a session for automatic changes in a tenant, until `deadline` (monotonic clock, seconds)."""
    table = Table(tenant_client(tenant), settings().table_name, meter)
    return Session(table, Caller.system(tenant), at, deadline)
