"""Headers and query parameters shared by routes of several resources."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Header, Query
from pydantic import AfterValidator, Field

from domain.common.times import DateOrMoment

MAX_LIMIT = 200

_IF_MATCH = Header(
    alias="If-Match",
    description='The ETag that you last read, such as `"3"`: the change is made only if it still matches.',
    pattern=r'^(\*|(W/)?"[^"]*"( *, *(W/)?"[^"]*")*)$',
    examples=['"3"'],
)
IfMatch = Annotated[str, _IF_MATCH]
OptionalIfMatch = Annotated[str | None, _IF_MATCH]
Limit = Annotated[
    int,
    Query(description=f"Maximum number of entries; values above {MAX_LIMIT} are treated as {MAX_LIMIT}."),
    Field(ge=1),
    AfterValidator(lambda limit: min(limit, MAX_LIMIT)),
]
Cursor = Annotated[
    str | None, Query(max_length=2048, description="`next_cursor` of the previous page; leave it out for the first.")
]
From = Annotated[
    DateOrMoment | None,
    Query(alias="from", description="Only what was created at this time or later; a date is in UTC."),
]
To = Annotated[
    DateOrMoment | None, Query(alias="to", description="Only what was created before this time; a date is in UTC.")
]
