"""GET /v1/events: read the events of the tenant."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from domain.common.errors import CursorInvalid, Flaw
from domain.common.validation import invalid_input
from domain.event_types import TYPES, EventPage
from domain.identity.permissions import Permission
from handlers.dependencies.events import Events
from handlers.http.parameters import Limit
from handlers.http.route import Route

api = Route()
_After = Query(max_length=2048, description="`next_cursor` of the previous page; left out: the last 30 days.")
_Types = Query(max_length=2048, description="Types to show, separated by commas; left out: all.")


@api.get("/v1/events", permission=Permission.EVENTS_READ, raises=[CursorInvalid])
def list_events(
    events: Events,
    after: Annotated[str | None, _After] = None,
    types: Annotated[str | None, _Types] = None,
    limit: Limit = 50,
) -> EventPage:
    """Read the events of the last 30 days, oldest first, each once. `next_cursor` goes on from there at any time.

    An event is shown half a minute after its request, when none can come before it any more. Its `sequence` numbers the
    events of its subject without gaps.
    """
    wanted = frozenset(types.split(",")) if types is not None else frozenset[str]()
    unknown = sorted(wanted - TYPES.keys())
    if unknown:
        raise invalid_input([Flaw("/query/types", "TYPE_UNKNOWN", f"There is no type {unknown[0]!r}.")])
    return events.feed(after, wanted, limit)


handler = api.handler
