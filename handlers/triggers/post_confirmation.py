"""Somebody confirmed their sign-up: give them a customer's profile in the tenant that they signed up to.

The client names the tenant in the client metadata, and in the user's name in the pool; both must agree, and the tenant
must allow sign-up. Event: Cognito developer guide, "Post confirmation Lambda trigger".
"""

from typing import Any

from domain.errors import Forbidden
from handlers.trigger import Event, Source, told, trigger
from repositories.access import Access
from repositories.directory import tenant_of
from repositories.profiles import sign_up

_SIGN_UP = "PostConfirmation_ConfirmSignUp"


@trigger(Source.POST_CONFIRMATION, access=[Access.GET, Access.PUT])
def post_confirmation(event: Event, _context: Any) -> Event:
    """Return the event. May be called again for the same user: the profile is made once."""
    if event["triggerSource"] != _SIGN_UP:
        return event
    attributes = event["request"]["userAttributes"]
    tenant = tenant_of(event["userName"])
    if (event["request"].get("clientMetadata") or {}).get("tenant_id") != tenant:
        raise Forbidden("Name the shop in the client metadata, as in the user name.")
    user = sign_up(tenant, event["userName"], attributes["sub"], attributes["email"], attributes.get("name"))
    told("signed up", tenant=tenant, sub=user.id)
    return event


handler = post_confirmation.call
