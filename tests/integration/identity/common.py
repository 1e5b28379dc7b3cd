"""What the tests of identity share."""

from typing import Any

from local.invocation import invoke
from repositories.aws.clients import cognito
from repositories.aws.settings import settings
from repositories.identity.user_pool import username


def pool_user(tenant: str, email: str) -> dict[str, Any] | None:
    """A user as the pool has them, with their groups."""
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
