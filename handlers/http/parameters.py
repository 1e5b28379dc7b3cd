"""What routes of any resource take beside their body: headers and query parameters, the call, the table."""

from typing import Annotated

from aws_lambda_powertools.event_handler import Request
from aws_lambda_powertools.event_handler.depends import Depends
from aws_lambda_powertools.event_handler.openapi.params import Header, Query
from pydantic import AfterValidator

from handlers.http.route import Call
from repositories.dynamodb.session import Session
from repositories.dynamodb.table import Table

MAX_LIMIT = 200


def _call(request: Request) -> Call:
    call: Call = request.context["call"]
    return call


def session_of(request: Request) -> Session:
    """Return the session of the caller."""
    session = _call(request).session
    if session is None:
        raise AssertionError("a public route has no session")
    return session


def _table(request: Request) -> Table:
    return _call(request).table


TableParameter = Annotated[Table, Depends(_table)]
CallParameter = Annotated[Call, Depends(_call)]

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
