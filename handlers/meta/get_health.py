"""GET /v1/health: tell whether the API and its table answer."""

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
    """The API is well."""

    status: Literal["healthy"] = "healthy"
    version: str = VERSION


@api.get("/v1/health", permission=PUBLIC, raises=[Unavailable])
def get_health(table: CurrentTable) -> Health:
    """Tell whether the table answers."""
    table.get(keys.health(), consistent=False)
    return Health()


handler = api.handler
