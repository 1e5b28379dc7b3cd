"""GET /v1/health: tell whether the API and its table answer."""

from typing import Literal

from domain import VERSION
from domain.errors import Unavailable
from domain.model import Model
from handlers.api import PUBLIC, Api
from handlers.parameters import TableParameter
from repositories import keys
from repositories.access import Access

api = Api()


class Health(Model):
    """The API is well."""

    status: Literal["healthy"] = "healthy"
    version: str = VERSION


@api.get("/v1/health", permission=PUBLIC, access=[Access.GET], raises=[Unavailable])
def get_health(table: TableParameter) -> Health:
    """Tell whether the table answers."""
    table.get(keys.health(), consistent=False)
    return Health()


handler = api.handler
