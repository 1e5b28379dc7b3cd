"""Sign-in to the local user pool."""

from typing import Any

import httpx

from local.cognito.service import PREFIX, SIGN_IN_AS


class SignInRefusedError(Exception):
    """The user pool, or the trigger that adds claims to a token, rejected the sign-in."""


def id_token(endpoint: str, client: str, name: str, password: str | None) -> str:
    """Return the ID token of a user, by name in the pool; None: without a password. Raises SignInRefusedError.

    `endpoint` is the pool's endpoint for administrators.
    """
    if password is None:
        result = _call(endpoint, SIGN_IN_AS, {"Username": name})
    else:
        parameters = {"USERNAME": name, "PASSWORD": password}
        request = {"ClientId": client, "AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": parameters}
        result = _call(endpoint, "InitiateAuth", request)
    if "ChallengeName" in result:
        raise SignInRefusedError("This password is temporary: an application must ask for another one.")
    return str(result["AuthenticationResult"]["IdToken"])


def _call(endpoint: str, operation: str, request: dict[str, Any]) -> dict[str, Any]:
    try:
        answer = httpx.post(endpoint, headers={"X-Amz-Target": f"{PREFIX}{operation}"}, json=request, timeout=60)
    except httpx.TransportError as failure:
        raise SignInRefusedError(f"The user pool at {endpoint} did not answer: {failure}") from failure
    body: dict[str, Any] = answer.json()
    if answer.is_error:
        raise SignInRefusedError(body["message"])
    return body
