"""Create the profile of a user who confirmed the sign-up, as a customer of the tenant.

The tenant is part of the user name in the pool. Whether it allows sign-up was checked before, and is checked again.
Event: Cognito developer guide, "Post confirmation Lambda trigger".
"""

from typing import Any

from handlers.invocations.trigger import LambdaEvent, TriggerSource, log_occasion, trigger
from repositories.identity.sign_up import sign_up
from repositories.identity.user_pool import tenant_of

_SIGN_UP = "PostConfirmation_ConfirmSignUp"


@trigger(TriggerSource.POST_CONFIRMATION)
def post_confirmation(event: LambdaEvent, _context: Any) -> LambdaEvent:
    """Create the profile and return the event. Repeated calls for a user create the profile once. Raises Forbidden."""
    if event["triggerSource"] == _SIGN_UP:
        user = sign_up(event["userName"], event["request"]["userAttributes"])
        log_occasion("signed up", tenant=tenant_of(event["userName"]), sub=user.id)
    return event


handler = post_confirmation.handler
