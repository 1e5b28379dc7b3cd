"""GET /v1/health: check that the API and its table respond."""

from typing import Literal

from domain import VERSION
from domain.common.errors import Unavailable
from domain.common.model import Model
from handlers.http.declaration import PUBLIC
from handlers.http.dependencies import CurrentTable
from handlers.http.route import Route
from repositories.dynamodb import keys

api = Route()


class Health(Model):
    """Status and version of an API that is healthy."""

    status: Literal["healthy"] = "healthy"
    version: str = VERSION


@api.get("/v1/health", permission=PUBLIC, raises=[Unavailable])
def get_health(table: CurrentTable) -> Health:
    """Check that the API and its table respond. 503 if the table does not."""
    table.get(keys.health(), consistent=False)
    return Health()


handler = api.handler
