"""Somebody signed in: tell it, by tenant and subject and nothing personal.

Event: Cognito developer guide, "Post authentication Lambda trigger".
"""

from typing import Any

from handlers.triggers.trigger import Event, Source, told, trigger
from repositories.identity.user_pool import tenant_of


@trigger(Source.POST_AUTHENTICATION, access=[])
def post_authentication(event: Event, _context: Any) -> Event:
    """Return the event."""
    request = event["request"]
    told(
        "signed in",
        tenant=tenant_of(event["userName"]),
        sub=request["userAttributes"]["sub"],
        new_device=bool(request.get("newDeviceUsed")),
    )
    return event


handler = post_authentication.call
