"""Somebody signed in: tell it, by tenant and subject and nothing personal.

Event: Cognito developer guide, "Post authentication Lambda trigger".
"""

from typing import Any

from handlers.triggers.trigger import LambdaEvent, TriggerSource, log_occasion, trigger
from repositories.identity.user_pool import tenant_of


@trigger(TriggerSource.POST_AUTHENTICATION)
def post_authentication(event: LambdaEvent, _context: Any) -> LambdaEvent:
    """Return the event."""
    request = event["request"]
    log_occasion(
        "signed in",
        tenant=tenant_of(event["userName"]),
        sub=request["userAttributes"]["sub"],
        new_device=bool(request.get("newDeviceUsed")),
    )
    return event


handler = post_authentication.call
