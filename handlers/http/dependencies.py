"""Dependencies that Powertools injects into endpoints: the call, its table, and repositories on its session."""

from collections.abc import Callable
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Request
from aws_lambda_powertools.event_handler.depends import Depends

from handlers.http.route import Call
from repositories.dynamodb.session import Session
from repositories.dynamodb.table import Table


def _call(request: Request) -> Call:
    call: Call = request.context["call"]
    return call


def session_of(request: Request) -> Session:
    """Return the session of a request. Raises AssertionError for a public route, which has none."""
    session = _call(request).session
    if session is None:
        raise AssertionError("a public route has no session")
    return session


def _table(request: Request) -> Table:
    call = _call(request)
    if call.session is not None:
        raise AssertionError("a route with a caller reaches the table through its session")
    return call.table


def repository[R](make: Callable[[Session], R]) -> Any:
    """Return the dependency for the repository that `make` creates from the session of the request."""

    def on_session(request: Request) -> R:
        return make(session_of(request))

    return Depends(on_session)


_LOOPBACK = {"127.0.0.1", "localhost"}
"""Hosts of the local server, which has no TLS."""


def _address(request: Request) -> str:
    """Return the address of the API without its version: scheme, host, and the stage if there is one."""
    host = request.resolved_event.headers.get("host") or ""
    scheme = "http" if host.partition(":")[0] in _LOOPBACK else "https"
    return f"{scheme}://{host}{_call(request).prefix}"


ApiAddress = Annotated[str, Depends(_address)]
CurrentTable = Annotated[Table, Depends(_table)]
CurrentCall = Annotated[Call, Depends(_call)]
