"""Sign-in: SRP, password, refresh tokens and the change of a temporary password."""

import base64
import json
import secrets
import time
from dataclasses import dataclass, field

from local.cognito.errors import CognitoError, invalid_parameter, not_authorized
from local.cognito.requests import Request, Result, required
from local.cognito.srp import Handshake, is_public_value
from local.cognito.tokens import Tokens
from local.cognito.users import CONFIRMED, INVITED, POOL, UNCONFIRMED, PoolUser, Users

_ANSWER_SECONDS = 180
"""Time for an answer to a challenge, as by default in Cognito."""
_NEW_PASSWORD = "NEW_PASSWORD_REQUIRED"  # noqa: S105 - the name of a challenge


@dataclass(frozen=True, slots=True)
class SignIn:
    """Operations of the sign-in. Challenges that wait for an answer are in memory."""

    users: Users
    tokens: Tokens
    handshakes: dict[bytes, tuple[float, tuple[PoolUser, Handshake]]] = field(default_factory=dict)
    sessions: dict[str, tuple[float, PoolUser]] = field(default_factory=dict)

    def initiate_auth(self, request: Request) -> Result:
        """Begin a sign-in, or finish it if the flow has no challenge."""
        flow, parameters = request.get("AuthFlow"), request.get("AuthParameters") or {}
        match flow:
            case "USER_SRP_AUTH":
                return self._challenge(self._user(parameters), parameters)
            case "USER_PASSWORD_AUTH":
                user = self._user(parameters)
                if not user.password.matches(POOL, user.name, required(parameters, "PASSWORD")):
                    raise not_authorized()
                return self._proven(user)
            case "REFRESH_TOKEN_AUTH" | "REFRESH_TOKEN":
                return self.refresh(required(parameters, "REFRESH_TOKEN"))
        raise invalid_parameter(f"The client has no flow {flow}.")

    def refresh(self, token: str) -> Result:
        """Issue new tokens for a refresh token."""
        user = self.users.with_refresh_token(token)
        return {"ChallengeParameters": {}, "AuthenticationResult": self.tokens.issue(user, "RefreshTokens", token)}

    def respond_to_auth_challenge(self, request: Request) -> Result:
        """Answer a challenge."""
        answers = request.get("ChallengeResponses") or {}
        match request.get("ChallengeName"):
            case "PASSWORD_VERIFIER":
                return self._verified(answers)
            case "NEW_PASSWORD_REQUIRED":
                return self._changed(required(request, "Session"), answers)
        raise invalid_parameter("There is no such challenge.")

    def _user(self, parameters: dict[str, str]) -> PoolUser:
        user = self.users.find(required(parameters, "USERNAME"))
        if user is None:
            raise not_authorized()
        return user

    def _challenge(self, user: PoolUser, parameters: dict[str, str]) -> Result:
        a = required(parameters, "SRP_A")
        if not is_public_value(a):
            raise invalid_parameter("SRP_A must be a hexadecimal number that the group's prime does not divide.")
        handshake = Handshake(user.password, int(a, 16))
        block = secrets.token_bytes(64)
        _remember(self.handshakes, block, (user, handshake))
        return {
            "ChallengeName": "PASSWORD_VERIFIER",
            "ChallengeParameters": {
                "SALT": f"{handshake.verifier.salt:x}",
                "SRP_B": f"{handshake.b:x}",
                "SECRET_BLOCK": base64.b64encode(block).decode(),
                "USERNAME": user.name,
                "USER_ID_FOR_SRP": user.name,
            },
        }

    def _verified(self, answers: dict[str, str]) -> Result:
        try:
            block = base64.b64decode(required(answers, "PASSWORD_CLAIM_SECRET_BLOCK"), validate=True)
        except ValueError:
            raise not_authorized() from None
        user, handshake = _recall(self.handshakes, block)
        signature, timestamp = (answers.get(name, "") for name in ("PASSWORD_CLAIM_SIGNATURE", "TIMESTAMP"))
        if not handshake.accepts(POOL, user.name, block, timestamp, signature):
            raise not_authorized()
        return self._proven(user)

    def _proven(self, user: PoolUser) -> Result:
        """Go on after the password was right."""
        if user.status == UNCONFIRMED:
            raise CognitoError("UserNotConfirmedException", "User is not confirmed.")
        if user.status == INVITED:
            session = secrets.token_urlsafe(32)
            _remember(self.sessions, session, user)
            shown = json.dumps(user.attributes)
            parameters = {"USER_ID_FOR_SRP": user.name, "userAttributes": shown, "requiredAttributes": "[]"}
            return {"ChallengeName": _NEW_PASSWORD, "Session": session, "ChallengeParameters": parameters}
        return self.signed_in(user)

    def _changed(self, session: str, answers: dict[str, str]) -> Result:
        user = self.users.get(_recall(self.sessions, session).subject)
        try:
            user.set_password(required(answers, "NEW_PASSWORD"))
        except CognitoError:
            _remember(self.sessions, session, user)  # another password may follow
            raise
        user.status = CONFIRMED
        self.users.save()
        return self.signed_in(user)

    def signed_in(self, user: PoolUser) -> Result:
        """Finish the sign-in of a user."""
        result = self.tokens.issue(user, "Authentication")
        return {"ChallengeParameters": {}, "AuthenticationResult": result}


def _remember[K, V](pending: dict[K, tuple[float, V]], key: K, value: V) -> None:
    """Keep what waits for an answer, and forget what waited too long."""
    now = time.monotonic()
    for old in [each for each, (since, _) in list(pending.items()) if now - since > _ANSWER_SECONDS]:
        pending.pop(old, None)
    pending[key] = (now, value)


def _recall[K, V](pending: dict[K, tuple[float, V]], key: K) -> V:
    """Return what waits for this answer, once. Raises CognitoError."""
    since, value = pending.pop(key, (0.0, None))
    if value is None or time.monotonic() - since > _ANSWER_SECONDS:
        raise not_authorized("Invalid session for the user.")
    return value
