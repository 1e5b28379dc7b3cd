"""GET /v1/health: tell whether the API and its table answer."""

from typing import Literal

from domain import VERSION
from domain.common.errors import Unavailable
from domain.common.model import Model
from handlers.http.parameters import TableParameter
from handlers.http.route import PUBLIC, Api
from repositories.dynamodb import keys
from repositories.dynamodb.iam_actions import Access

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
