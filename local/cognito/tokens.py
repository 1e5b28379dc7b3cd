"""Tokens of the local pool: ID and access tokens (JWT), and refresh tokens."""

import base64
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from local.cognito.errors import not_authorized
from local.cognito.triggers import Triggers
from local.cognito.users import PoolUser, Users
from local.tokens import AUDIENCE, ISSUER, KEY_ID, signed

_LIFETIME = timedelta(hours=1)
_READABLE = ("email", "email_verified", "custom:tenant_id")
"""Attributes that the app client may read, and so those in ID tokens."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """Issuer of tokens, which the local API Gateway accepts as they are signed with the same key."""

    key: RSAPrivateKey
    users: Users
    triggers: Triggers

    def issue(self, user: PoolUser, occasion: str, refresh_token: str | None = None) -> dict[str, Any]:
        """Return an AuthenticationResult. Without a refresh token, a new one is issued. Raises CognitoError."""
        override = self.triggers.claims(user, occasion)
        groups = override.get("groupOverrideDetails", {}).get("groupsToOverride", user.groups)
        now = int(datetime.now(UTC).timestamp())
        shared = {"sub": user.subject, "iss": ISSUER, "auth_time": now, "origin_jti": str(uuid4())}
        shared |= {"event_id": str(uuid4()), "cognito:groups": groups}
        attributes: dict[str, Any] = {name: user.attributes[name] for name in _READABLE if name in user.attributes}
        attributes["email_verified"] = attributes.get("email_verified") == "true"
        identity = shared | attributes | {"aud": AUDIENCE, "token_use": "id", "cognito:username": user.name}
        access = shared | {"client_id": AUDIENCE, "token_use": "access", "username": user.name}
        access["scope"] = "aws.cognito.signin.user.admin"
        identity |= override.get("claimsToAddOrOverride", {})
        result: dict[str, Any] = {
            "IdToken": signed(self.key, identity | {"jti": str(uuid4())}, _LIFETIME),
            "AccessToken": signed(self.key, access | {"jti": str(uuid4())}, _LIFETIME),
            "ExpiresIn": int(_LIFETIME.total_seconds()),
            "TokenType": "Bearer",
        }
        if refresh_token is None:
            result["RefreshToken"] = secrets.token_urlsafe(48)
            user.refresh_tokens.append(result["RefreshToken"])
            self.users.save()
        return result

    def user_of(self, access_token: str) -> PoolUser:
        """Return the user of an access token. Raises CognitoError."""
        try:
            claims = jwt.decode(access_token, self.key.public_key(), algorithms=["RS256"], issuer=ISSUER)
        except jwt.InvalidTokenError:
            raise not_authorized("Invalid Access Token") from None
        user = self.users.find(claims["sub"])
        if claims.get("token_use") != "access" or user is None:
            raise not_authorized("Invalid Access Token")
        return user

    def key_set(self) -> dict[str, Any]:
        """Return the public key as a JSON Web Key Set (RFC 7517)."""
        numbers = self.key.public_key().public_numbers()
        key = {
            "kty": "RSA",
            "use": "sig",
            "alg": "RS256",
            "kid": KEY_ID,
            "n": _base64(numbers.n),
            "e": _base64(numbers.e),
        }
        return {"keys": [key]}


def _base64(number: int) -> str:
    return base64.urlsafe_b64encode(number.to_bytes((number.bit_length() + 7) // 8)).rstrip(b"=").decode()
