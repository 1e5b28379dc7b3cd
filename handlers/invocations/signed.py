"""Requests that other systems have signed, for a tenant that they name: their raw body, and repositories for it."""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools.event_handler import Request
from aws_lambda_powertools.event_handler.depends import Depends

from domain.common.environment import monotonic, now
from domain.common.errors import NotFound
from domain.common.ids import is_tenant_id
from domain.identity.permissions import Caller
from handlers.http.errors import PayloadTooLarge
from handlers.http.request import MAX_BODY_BYTES, ProxyEvent, header
from handlers.http.route import Call
from handlers.invocations.tenant import session_for
from repositories.dynamodb.session import Session

_SECONDS = 10.0
"""Time for a request: its sender waits about as long."""


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A request as it came: its body, byte for byte, and its headers."""

    body: bytes
    event: ProxyEvent

    def header(self, name: str) -> str | None:
        """Return a header's value, or None. Names are case-insensitive."""
        return header(self.event, name)


def signed_request(request: Request) -> SignedRequest:
    """Return the request as it came. Raises PayloadTooLarge."""
    event = request.resolved_event.raw_event
    text: str = event.get("body") or ""
    body = base64.b64decode(text) if event.get("isBase64Encoded") else text.encode()
    if len(body) > MAX_BODY_BYTES:
        raise PayloadTooLarge(f"A body may have {MAX_BODY_BYTES // 1024} KB at most.")
    return SignedRequest(body, event)


def _in_path(request: Request) -> str:
    return str(request.path_parameters["tenant_id"])


def of_tenant[R](make: Callable[[Session], R], named: Callable[[Request], str] = _in_path) -> Any:
    """Return the dependency for the repository that `make` creates for the tenant that a request names."""

    def on_session(request: Request) -> R:
        call: Call = request.context["call"]
        tenant = named(request)
        if not is_tenant_id(tenant):
            raise NotFound
        call.telemetry.caller(tenant, Caller.system(tenant).subject)
        return make(session_for(tenant, call.table.meter, now(), monotonic() + _SECONDS))

    return Depends(on_session)
