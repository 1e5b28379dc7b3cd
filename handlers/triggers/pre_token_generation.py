"""Cognito is about to issue a token: put the tenant and the role from the user's row into it.

The row decides, not the pool's groups: a user without a row, or erased, gets no token.
Event and answer: Cognito developer guide, "Pre token generation Lambda trigger", version 1.
"""

from typing import Any

from domain.common.errors import Forbidden
from domain.identity.users import UserStatus
from handlers.triggers.trigger import Event, Source, told, trigger
from repositories.dynamodb.iam_actions import Access
from repositories.identity.sign_up import find_profile, late_sign_up
from repositories.identity.user_pool import TENANT_ATTRIBUTE, tenant_of


@trigger(Source.PRE_TOKEN_GENERATION, access=[Access.GET, Access.PUT])
def pre_token_generation(event: Event, _context: Any) -> Event:
    """Return the event with the claims to issue. Raises Forbidden, which Cognito tells whoever signs in."""
    tenant, subject = tenant_of(event["userName"]), event["request"]["userAttributes"]["sub"]
    user = find_profile(tenant, subject) or late_sign_up(event["userName"], event["request"]["userAttributes"])
    if user is None or user.status is not UserStatus.ACTIVE:
        told("token refused", tenant=tenant, sub=subject)
        raise Forbidden("You do not belong to this shop.")
    event["response"]["claimsOverrideDetails"] = {
        "claimsToAddOrOverride": {TENANT_ATTRIBUTE: tenant},
        "groupOverrideDetails": {"groupsToOverride": [user.role.value], "iamRolesToOverride": []},
    }
    return event


handler = pre_token_generation.call
