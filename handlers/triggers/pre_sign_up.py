"""Allow a sign-up only if the tenant allows it and the user name matches the user's e-mail address.

Event: Cognito developer guide, "Pre sign-up Lambda trigger".
"""

from typing import Any

from domain.common.errors import Forbidden
from handlers.invocations.trigger import LambdaEvent, TriggerSource, trigger
from repositories.identity.sign_up import require_sign_up
from repositories.identity.user_pool import tenant_of

_BY_ADMINISTRATOR = "PreSignUp_AdminCreateUser"


@trigger(TriggerSource.PRE_SIGN_UP)
def pre_sign_up(event: LambdaEvent, _context: Any) -> LambdaEvent:
    """Return the event. Raises Forbidden; Cognito returns its message to the client. Invitations are always allowed."""
    if event["triggerSource"] == _BY_ADMINISTRATOR:
        return event
    tenant = tenant_of(event["userName"])
    if (event["request"].get("clientMetadata") or {}).get("tenant_id") != tenant:
        raise Forbidden("Name the shop in the client metadata, as in the user name.")
    require_sign_up(tenant, event["userName"], event["request"]["userAttributes"].get("email", ""))
    return event


handler = pre_sign_up.handler
