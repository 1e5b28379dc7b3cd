"""Somebody confirmed their sign-up: give them a customer's profile in the tenant that they signed up to.

The user's name in the pool says which; that it may be was checked before they signed up, and is again.
Event: Cognito developer guide, "Post confirmation Lambda trigger".
"""

from typing import Any

from handlers.triggers.trigger import LambdaEvent, TriggerSource, log_occasion, trigger
from repositories.identity.sign_up import sign_up
from repositories.identity.user_pool import tenant_of

_SIGN_UP = "PostConfirmation_ConfirmSignUp"


@trigger(TriggerSource.POST_CONFIRMATION)
def post_confirmation(event: LambdaEvent, _context: Any) -> LambdaEvent:
    """Return the event. May be called again for the same user: the profile is made once."""
    if event["triggerSource"] == _SIGN_UP:
        user = sign_up(event["userName"], event["request"]["userAttributes"])
        log_occasion("signed up", tenant=tenant_of(event["userName"]), sub=user.id)
    return event


handler = post_confirmation.call
