"""Helpers shared by the identity tests."""

from typing import Any

from local.invocation import invoke
from repositories.aws.clients import cognito
from repositories.aws.settings import settings
from repositories.identity.user_pool import username


def pool_user(tenant: str, email: str) -> dict[str, Any] | None:
    """Return a user as stored in the user pool, with groups, or None."""
    client, pool, name = cognito(), settings().user_pool_id, username(tenant, email)
    try:
        user: Any = client.admin_get_user(UserPoolId=pool, Username=name)
    except client.exceptions.UserNotFoundException:
        return None
    groups = client.admin_list_groups_for_user(UserPoolId=pool, Username=name)["Groups"]
    attributes = {each["Name"]: each["Value"] for each in user["UserAttributes"]}
    return attributes | {"groups": [group["GroupName"] for group in groups]}


def sign_in_event(tenant: str, email: str, subject: str, **request: Any) -> dict[str, Any]:
    return {
        "triggerSource": "PostConfirmation_ConfirmSignUp",
        "userName": f"{tenant}/{email}",
        "request": {"userAttributes": {"sub": subject, "email": email}, **request},
        "response": {},
    }


def claims_for(tenant: str, email: str, subject: str) -> dict[str, Any]:
    answer = invoke("PreTokenGeneration", sign_in_event(tenant, email, subject))
    claims: dict[str, Any] = answer["response"]["claimsOverrideDetails"]
    return claims


def sign_up(tenant: str, email: str) -> str:
    """Sign up a user with a confirmed address; return the subject."""
    name, pool = username(tenant, email), settings().user_pool_id
    cognito().admin_create_user(UserPoolId=pool, Username=name, MessageAction="SUPPRESS")
    cognito().admin_set_user_password(UserPoolId=pool, Username=name, Password="Their-own-pass-1", Permanent=True)
    signed_up = pool_user(tenant, email)
    assert signed_up
    return str(signed_up["sub"])
