"""Sign-in: SRP, password, refresh tokens and the change of a temporary password."""

import base64
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from local.cognito.errors import CognitoError, invalid_parameter, not_authorized
from local.cognito.srp import Handshake
from local.cognito.tokens import Tokens
from local.cognito.users import CONFIRMED, INVITED, POOL, UNCONFIRMED, PoolUser, Users

type Request = dict[str, Any]
type Result = dict[str, Any]

_NEW_PASSWORD = "NEW_PASSWORD_REQUIRED"  # noqa: S105 - the name of a challenge


@dataclass(frozen=True, slots=True)
class SignIn:
    """Operations of the sign-in. Challenges that wait for an answer are in memory."""

    users: Users
    tokens: Tokens
    handshakes: dict[bytes, tuple[PoolUser, Handshake]] = field(default_factory=dict)
    sessions: dict[str, PoolUser] = field(default_factory=dict)

    def initiate_auth(self, request: Request) -> Result:
        """Begin a sign-in, or finish it if the flow has no challenge."""
        flow, parameters = request.get("AuthFlow"), request.get("AuthParameters") or {}
        match flow:
            case "USER_SRP_AUTH":
                return self._challenge(self._user(parameters), parameters)
            case "USER_PASSWORD_AUTH":
                user = self._user(parameters)
                if not user.password.matches(POOL, user.name, str(parameters.get("PASSWORD"))):
                    raise not_authorized()
                return self._proven(user)
            case "REFRESH_TOKEN_AUTH" | "REFRESH_TOKEN":
                return self.refresh(str(parameters.get("REFRESH_TOKEN")))
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
                return self._changed(str(request.get("Session")), answers)
        raise invalid_parameter("There is no such challenge.")

    def _user(self, parameters: dict[str, str]) -> PoolUser:
        user = self.users.find(str(parameters.get("USERNAME")))
        if user is None:
            raise not_authorized()
        return user

    def _challenge(self, user: PoolUser, parameters: dict[str, str]) -> Result:
        try:
            handshake = Handshake(user.password, int(parameters["SRP_A"], 16))
        except (KeyError, ValueError):
            raise invalid_parameter("SRP_A must be a hexadecimal number.") from None
        block = secrets.token_bytes(64)
        self.handshakes[block] = (user, handshake)
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
        block = base64.b64decode(answers.get("PASSWORD_CLAIM_SECRET_BLOCK", ""))
        user, handshake = self.handshakes.pop(block, (None, None))
        if user is None or handshake is None:
            raise not_authorized()
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
            self.sessions[session] = user
            shown = json.dumps(user.attributes)
            parameters = {"USER_ID_FOR_SRP": user.name, "userAttributes": shown, "requiredAttributes": "[]"}
            return {"ChallengeName": _NEW_PASSWORD, "Session": session, "ChallengeParameters": parameters}
        return self.signed_in(user)

    def _changed(self, session: str, answers: dict[str, str]) -> Result:
        user = self.sessions.get(session)
        if user is None:
            raise not_authorized("Invalid session for the user.")
        user.set_password(answers.get("NEW_PASSWORD", ""))
        user.status = CONFIRMED
        self.users.save()
        del self.sessions[session]
        return self.signed_in(user)

    def signed_in(self, user: PoolUser) -> Result:
        """Finish the sign-in of a user."""
        result = self.tokens.issue(user, "Authentication")
        self.tokens.triggers.post_authentication(user)
        return {"ChallengeParameters": {}, "AuthenticationResult": result}
