"""Calls of Tradepost's functions that the user pool triggers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from handlers.invocations.trigger import TriggerSource
from local.cognito.errors import CognitoError
from local.cognito.users import POOL_ID, PoolUser
from local.tokens import AUDIENCE

type Invoke = Callable[[str, dict[str, Any]], Any]


@dataclass(frozen=True, slots=True)
class Triggers:
    """The functions that a pool calls: `invoke` calls one by name with an event and returns its result.

    Events: Cognito developer guide, "Customizing user pool workflows with Lambda triggers".
    """

    invoke: Invoke

    def pre_sign_up(self, user: PoolUser, occasion: str, metadata: Any = None, validation: Any = None) -> None:
        """Ask whether a user may be added. Raises CognitoError."""
        request = {"validationData": validation, "clientMetadata": metadata}
        confirm = {"autoConfirmUser": False, "autoVerifyEmail": False, "autoVerifyPhone": False}
        self._call(TriggerSource.PRE_SIGN_UP, user, f"PreSignUp_{occasion}", request, confirm)

    def post_confirmation(self, user: PoolUser, occasion: str, metadata: Any = None) -> None:
        """Report that a user confirmed the address. Raises CognitoError."""
        request = {"clientMetadata": metadata or {}}
        self._call(TriggerSource.POST_CONFIRMATION, user, f"PostConfirmation_{occasion}", request)

    def claims(self, user: PoolUser, occasion: str) -> dict[str, Any]:
        """Return the changes to the claims of a token (`claimsOverrideDetails`). Raises CognitoError."""
        groups = {"groupsToOverride": user.groups, "iamRolesToOverride": [], "preferredRole": None}
        request = {"groupConfiguration": groups}
        answer = self._call(TriggerSource.PRE_TOKEN_GENERATION, user, f"TokenGeneration_{occasion}", request)
        details: dict[str, Any] = answer["response"].get("claimsOverrideDetails") or {}
        return details

    def _call(
        self,
        source: TriggerSource,
        user: PoolUser,
        occasion: str,
        request: dict[str, Any],
        response: dict[str, Any] | None = None,
    ) -> Any:
        attributes = user.shown() | {"cognito:user_status": user.status}
        if source is TriggerSource.PRE_SIGN_UP:
            attributes = user.attributes
        event = {
            "version": "1",
            "triggerSource": occasion,
            "region": POOL_ID.partition("_")[0],
            "userPoolId": POOL_ID,
            "userName": user.name,
            "callerContext": {"awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": AUDIENCE},
            "request": {"userAttributes": attributes} | request,
            "response": response or {},
        }
        name = source.value[0].upper() + source.value[1:]
        try:
            return self.invoke(name, event)
        except Exception as failure:
            message = f"{name} failed with error {failure}."
            raise CognitoError("UserLambdaValidationException", message) from failure
