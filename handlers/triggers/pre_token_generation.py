"""Add the tenant and the role from the user's row to a token before Cognito issues it.

The row decides, not the pool's groups: a user without a row, or a deleted user, gets no token.
Event and response: Cognito developer guide, "Pre token generation Lambda trigger", version 1.
"""

from typing import Any

from domain.common.errors import Forbidden
from domain.identity.users import UserStatus
from handlers.invocations.trigger import LambdaEvent, TriggerSource, log_occasion, trigger
from repositories.identity.sign_up import find_profile, late_sign_up
from repositories.identity.user_pool import TENANT_ATTRIBUTE, tenant_of

_REFRESH = "TokenGeneration_RefreshTokens"


@trigger(TriggerSource.PRE_TOKEN_GENERATION)
def pre_token_generation(event: LambdaEvent, _context: Any) -> LambdaEvent:
    """Return the event with the claims to issue. Raises Forbidden; Cognito returns its message to the client."""
    tenant, subject = tenant_of(event["userName"]), event["request"]["userAttributes"]["sub"]
    user = find_profile(tenant, subject) or late_sign_up(event["userName"], event["request"]["userAttributes"])
    if user is None or user.status is not UserStatus.ACTIVE:
        log_occasion("token refused", tenant=tenant, sub=subject)
        raise Forbidden("You do not belong to this shop.")
    if event["triggerSource"] != _REFRESH:
        log_occasion("signed in", tenant=tenant, sub=subject)
    event["response"]["claimsOverrideDetails"] = {
        "claimsToAddOrOverride": {TENANT_ATTRIBUTE: tenant},
        "groupOverrideDetails": {"groupsToOverride": [user.role.value], "iamRolesToOverride": []},
    }
    return event


handler = pre_token_generation.handler
