"""Parameters of requests to the local user pool."""

import json
from typing import Any

from local.cognito.errors import CognitoError, invalid_parameter
from local.cognito.users import POOL_ID
from local.tokens import AUDIENCE

type Request = dict[str, Any]
type Result = dict[str, Any]

_MAPS = {"AuthParameters", "ChallengeResponses", "ClientMetadata"}
_LISTS = {"UserAttributes", "ValidationData"}
_FREE = {"Permanent", "DesiredDeliveryMediums", "ForceAliasCreation", "AnalyticsMetadata", "UserContextData"}
"""Parameters that are no text and have no effect here, or one flag."""


def parsed(body: bytes) -> Request:
    """Return a request. Raises CognitoError unless its parameters have the types that they have in Cognito."""
    try:
        request = json.loads(body)
    except (ValueError, RecursionError):
        raise CognitoError("SerializationException", "The body is not JSON.") from None
    if not isinstance(request, dict):
        raise CognitoError("SerializationException", "The body is not a JSON object.")
    given = {name: value for name, value in request.items() if value is not None}
    for name, value in given.items():
        if not _is_well_formed(name, value):
            raise invalid_parameter(f"{name} is malformed.")
    for name, known in (("ClientId", AUDIENCE), ("UserPoolId", POOL_ID)):
        if given.get(name, known) != known:
            raise CognitoError("ResourceNotFoundException", f"{name} {given[name]} does not exist.")
    return given


def required(request: Request, name: str) -> str:
    """Return a parameter. Raises CognitoError if it is missing."""
    if name not in request:
        raise invalid_parameter(f"Missing required parameter {name}")
    return str(request[name])


def _is_well_formed(name: str, value: Any) -> bool:
    if name in _FREE:
        return True
    if name in _MAPS:
        return isinstance(value, dict) and all(_is_text(each) for each in value.values())
    if name in _LISTS:
        return isinstance(value, list) and all(_is_attribute(each) for each in value)
    return _is_text(value)


def _is_attribute(value: Any) -> bool:
    return isinstance(value, dict) and _is_text(value.get("Name")) and _is_text(value.get("Value", ""))


def _is_text(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(value.encode() or True)
    except UnicodeEncodeError:
        return False
