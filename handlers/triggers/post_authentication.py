"""Log a sign-in with the user's tenant and subject, without personal data.

Event: Cognito developer guide, "Post authentication Lambda trigger".
"""

from typing import Any

from handlers.triggers.trigger import LambdaEvent, TriggerSource, log_occasion, trigger
from repositories.identity.user_pool import tenant_of


@trigger(TriggerSource.POST_AUTHENTICATION)
def post_authentication(event: LambdaEvent, _context: Any) -> LambdaEvent:
    """Log the sign-in and return the event."""
    request = event["request"]
    log_occasion(
        "signed in",
        tenant=tenant_of(event["userName"]),
        sub=request["userAttributes"]["sub"],
        new_device=bool(request.get("newDeviceUsed")),
    )
    return event


handler = post_authentication.handler
