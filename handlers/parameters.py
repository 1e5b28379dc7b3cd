"""What routes take beside their body: repositories, and headers and query parameters of the same kind everywhere."""

from typing import Annotated

from aws_lambda_powertools.event_handler import Request
from aws_lambda_powertools.event_handler.depends import Depends
from aws_lambda_powertools.event_handler.openapi.params import Header, Query
from pydantic import AfterValidator

from handlers.api import Call
from repositories.items import ItemRepository
from repositories.session import Session
from repositories.table import Table

MAX_LIMIT = 200


def _call(request: Request) -> Call:
    call: Call = request.context["call"]
    return call


def _session(request: Request) -> Session:
    session = _call(request).session
    if session is None:
        raise AssertionError("a public route has no session")
    return session


def _table(request: Request) -> Table:
    return _call(request).table


def _items(request: Request) -> ItemRepository:
    return ItemRepository(_session(request))


TableParameter = Annotated[Table, Depends(_table)]
CallParameter = Annotated[Call, Depends(_call)]
Items = Annotated[ItemRepository, Depends(_items)]

IfMatch = Annotated[
    str,
    Header(
        alias="If-Match",
        description='The ETag that you last read, such as `"3"`: the change is made only if it still holds.',
        pattern=r'^(\*|(W/)?"[^"]*"( *, *(W/)?"[^"]*")*)$',
        examples=['"3"'],
    ),
]
Limit = Annotated[
    int,
    Query(ge=1, description=f"How many entries, {MAX_LIMIT} at most (more is taken as {MAX_LIMIT})."),
    AfterValidator(lambda limit: min(limit, MAX_LIMIT)),
]
Cursor = Annotated[
    str | None, Query(max_length=2048, description="`next_cursor` of the page before; nothing for the first.")
]
