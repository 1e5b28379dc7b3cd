"""What each route asks of DynamoDB: requests and capacity units of its sample event, as DynamoDB reports them."""

import io
import json
from contextlib import redirect_stdout

from handlers.registry import Function, functions
from local.database import database
from local.invocation import invoke
from local.samples import add_samples
from local.user_pool import directory
from repositories.aws import clients
from repositories.aws.settings import settings


def costs() -> dict[str, tuple[str, str, str]]:
    """Return requests, read units and write units by route, each on a database of samples."""
    return {f"{function.operation.method} {function.path}": _cost(function) for function in functions()}


def _cost(function: Function) -> tuple[str, str, str]:
    event = json.loads(function.event.read_text())
    with database(None), directory(), redirect_stdout(io.StringIO()):
        _forget()
        add_samples()
        headers = invoke(function.name, event)["multiValueHeaders"]
    return headers["X-Db-Requests"][0], headers["X-Capacity-Read"][0], headers["X-Capacity-Write"][0]


def _forget() -> None:
    """Forget the clients of the database and the pool before."""
    for made in (clients.dynamodb, clients.cognito, clients.secretsmanager, settings):
        made.cache_clear()
